"""AMQP 1.0's data: typed values, performatives, frames. As much of the standard as Service Bus clients use."""
