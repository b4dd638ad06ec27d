// What a registry gives Fanout and its readers, deployed by its administrator into its resource group. Run it once for each registry.

@description('Name of the registry, in the resource group that this is deployed to.')
param registryName string

@description('Principal id of Fanout\'s identity, of the same Entra tenant.')
param fanoutPrincipalId string

@description('Object ids of the groups that may use what is in the registry: all of it, whatever the publications say.')
param readerGroupIds array = []

@description('Object id of who runs `fanout doctor`. Empty: it cannot look here.')
param doctorPrincipalId string = ''

@description('What the doctor is to Entra ID.')
@allowed(['User', 'Group', 'ServicePrincipal'])
param doctorPrincipalType string = 'Group'

var roles = loadJsonContent('../roles.json')
var publishes = roles['AzureML Registry User']
var reads = roles['Reader']
var readAlready = concat(readerGroupIds, ['']) // Azure refuses two assignments of one name

resource registry 'Microsoft.MachineLearningServices/registries@2024-10-01' existing = {
  name: registryName
}

resource fanoutPublishes 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(registry.id, fanoutPrincipalId, publishes)
  scope: registry
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', publishes)
    principalId: fanoutPrincipalId
    principalType: 'ServicePrincipal'
    description: 'Fanout imports what is shared, labels it, archives what is recalled, and reads it where it delivers'
  }
}

resource readersUse 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for groupId in readerGroupIds: {
  name: guid(registry.id, groupId, reads)
  scope: registry
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', reads)
    principalId: groupId
    principalType: 'Group'
    description: 'Tenants and their endpoints use what is in the registry'
  }
}]

resource doctorLooks 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!contains(readAlready, doctorPrincipalId)) {
  name: guid(registry.id, doctorPrincipalId, reads)
  scope: registry
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', reads)
    principalId: doctorPrincipalId
    principalType: doctorPrincipalType
    description: 'fanout doctor reads regions and role assignments'
  }
}
