// Where Event Grid puts the events that it could not deliver, and the right of the topic's identity to do so.

@description('Name of the storage account to make.')
param storageName string

@description('Region.')
param location string

@description('Tags.')
param tags object

@description('Principal id of the workspace\'s system topic.')
param systemTopicPrincipalId string

@description('Object id of who runs `fanout doctor`; empty: nobody.')
param doctorPrincipalId string

@description('What the doctor is to Entra ID.')
param doctorPrincipalType string

var roles = loadJsonContent('../roles.json')
var writes = roles['Storage Blob Data Contributor']
var reads = roles['Storage Blob Data Reader']

resource storage 'Microsoft.Storage/storageAccounts@2024-01-01' = {
  name: storageName
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: {
    name: 'Standard_LRS'
  }
  properties: {
    allowBlobPublicAccess: false
    allowCrossTenantReplication: false
    allowSharedKeyAccess: false
    defaultToOAuthAuthentication: true
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
  }
}

resource blobs 'Microsoft.Storage/storageAccounts/blobServices@2024-01-01' = {
  parent: storage
  name: 'default'
}

resource container 'Microsoft.Storage/storageAccounts/blobServices/containers@2024-01-01' = {
  parent: blobs
  name: 'fanout-dead-letters'
}

resource topicWrites 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(container.id, systemTopicPrincipalId, writes)
  scope: container
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', writes)
    principalId: systemTopicPrincipalId
    principalType: 'ServicePrincipal'
    description: 'Event Grid writes the events that it could not deliver'
  }
}

resource doctorReads 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(doctorPrincipalId)) {
  name: guid(container.id, doctorPrincipalId, reads)
  scope: container
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', reads)
    principalId: doctorPrincipalId
    principalType: doctorPrincipalType
    description: 'fanout doctor looks whether events lie there'
  }
}

output storageId string = storage.id
output containerName string = container.name
