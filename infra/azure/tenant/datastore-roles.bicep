// What Fanout may do in the storage of a workspace whose datastore has no secrets.

@description('Name of the storage account.')
param storageName string

@description('Container of the datastore.')
param containerName string

@description('read, write or both.')
param access string

@description('Principal id of Fanout\'s identity.')
param fanoutPrincipalId string

var roles = loadJsonContent('../roles.json')
var writes = roles['Storage Blob Data Contributor']
var reads = roles['Storage Blob Data Reader']

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

resource writesCopies 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (access != 'read') {
  name: guid(container.id, fanoutPrincipalId, writes)
  scope: container
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', writes)
    principalId: fanoutPrincipalId
    principalType: 'ServicePrincipal'
    description: 'Fanout copies models and data into the workspace (mode: copy)'
  }
}

// Azure ML chooses the container that a component's code is put into.
resource readsCode 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (access != 'write') {
  name: guid(storage.id, fanoutPrincipalId, reads)
  scope: storage
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', reads)
    principalId: fanoutPrincipalId
    principalType: 'ServicePrincipal'
    description: 'Fanout reads the code of components that are shared'
  }
}
