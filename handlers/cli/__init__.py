"""The provider's command line, `fanout`: one module for each group of commands, over the same tables and queues as the app.

What a command needs of the settings and the SDKs is imported when it runs, so that --help needs neither.
"""
