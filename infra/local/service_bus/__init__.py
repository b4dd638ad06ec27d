"""A Service Bus on one machine: an AMQP 1.0 broker that the unmodified azure-servicebus speaks to.

`queues` is what a Service Bus queue does, without any wire; `amqp` is the wire's data format, without any queue; `wire`
brings the two together over sockets. README.md says what is covered and what is not.
"""
