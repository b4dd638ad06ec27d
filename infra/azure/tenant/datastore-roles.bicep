// What Fanout may do in the storage of a workspace whose datastore has no secrets.

@description('Name of the storage account.')
param storageName string

@description('Container of the datastore.')
param containerName string

@description('read or write.')
param access string

@description('Principal id of Fanout\'s identity.')
param fanoutPrincipalId string

var roles = loadJsonContent('../roles.json')
var role = (access == 'write') ? roles['Storage Blob Data Contributor'] : roles['Storage Blob Data Reader']
var operation = (access == 'write') ? 'Fanout copies models and data into the workspace (mode: copy)' : 'Fanout reads the code of components that are shared'

resource storage 'Microsoft.Storage/storageAccounts@2024-01-01' existing = {
  name: storageName
}

resource blobs 'Microsoft.Storage/storageAccounts/blobServices@2024-01-01' existing = {
  parent: storage
  name: 'default'
}

resource container 'Microsoft.Storage/storageAccounts/blobServices/containers@2024-01-01' existing = {
  parent: blobs
  name: containerName
}

resource reachesBytes 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(container.id, fanoutPrincipalId, role)
  scope: container
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role)
    principalId: fanoutPrincipalId
    principalType: 'ServicePrincipal'
    description: operation
  }
}
