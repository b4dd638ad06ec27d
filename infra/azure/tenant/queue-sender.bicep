// Where events come by queue: lets a tenant's system topic send to it. Deployed by the provider into its own resource group.

@description('Name of the Service Bus namespace.')
param namespaceName string

@description('Principal id of the tenant\'s system topic: output systemTopicPrincipalId of main.bicep. Or of a group that has them all.')
param principalId string

@description('Group for a group: an Azure subscription has 4,000 role assignments, and no more.')
@allowed(['ServicePrincipal', 'Group'])
param principalType string = 'ServicePrincipal'

var roles = loadJsonContent('../roles.json')
var role = roles['Azure Service Bus Data Sender']

resource namespace 'Microsoft.ServiceBus/namespaces@2024-01-01' existing = {
  name: namespaceName
}

resource events 'Microsoft.ServiceBus/namespaces/queues@2024-01-01' existing = {
  parent: namespace
  name: 'events'
}

resource sends 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(events.id, principalId, role)
  scope: events
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role)
    principalId: principalId
    principalType: principalType
    description: 'Event Grid delivers the events of a workspace to queue events'
  }
}
