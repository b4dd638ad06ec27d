"""What Azure Resource Manager tells of what surrounds workspaces: roles, storage accounts, quota, policies, event subscriptions.

It is served at the address of the local Azure ML, as all of Azure Resource Manager has one address. README.md of that part has it.
"""
