"""The rows, by idea. shared/azure/error_table.py puts them into the order in which they are tried."""
