// A queue, and who may do what with it.

@description('Name of the namespace.')
param namespaceName string

@description('Name of the queue.')
param name string

@description('Its properties, as Microsoft.ServiceBus/namespaces/queues has them.')
param settings object

@description('Roles on this queue: role, principalId, principalType, and the operation that needs it.')
param grants array

var roles = loadJsonContent('../roles.json')

resource namespace 'Microsoft.ServiceBus/namespaces@2024-01-01' existing = {
  name: namespaceName
}

resource queue 'Microsoft.ServiceBus/namespaces/queues@2024-01-01' = {
  parent: namespace
  name: name
  properties: settings
}

resource roleAssignments 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for grant in grants: {
  name: guid(queue.id, grant.principalId, roles[grant.role])
  scope: queue
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles[grant.role])
    principalId: grant.principalId
    principalType: grant.principalType
    description: grant.operation
  }
}]

output id string = queue.id
