"""What a Service Bus queue does: order, locks, schedules, expiry, duplicates, dead letters. No wire, no sockets.

Times are integer milliseconds of the broker's clock, which is UTC moved forward by what a test asked for.
"""
