// What the doctor may see in the tenant's resource group.

@description('Object id of who runs `fanout doctor`.')
param principalId string

@description('What that is to Entra ID.')
param principalType string

var roles = loadJsonContent('../roles.json')
var role = roles['Reader']

resource looks 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(resourceGroup().id, principalId, role)
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role)
    principalId: principalId
    principalType: principalType
    description: 'fanout doctor reads role assignments, event subscriptions, endpoints and network settings'
  }
}
