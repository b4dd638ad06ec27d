// One storage account: the tables that hold the rows and the rules, the app's package, and what the Functions host keeps for itself.

@description('Name of the storage account: 3 to 24 lower-case letters and digits.')
@minLength(3)
@maxLength(24)
param name string

@description('Region.')
param location string

@description('Tags.')
param tags object

@description('Redundancy, such as Standard_ZRS.')
param sku string

@description('Whether it is reached through private endpoints only.')
param isPrivate bool

@description('Principal id of the identity that the app acts by.')
param appPrincipalId string

@description('Object id of who runs `fanout` by hand; empty: nobody.')
param operatorPrincipalId string

@description('What the operator is to Entra ID.')
param operatorPrincipalType string

var roles = loadJsonContent('../roles.json')

// shared/azure/tables.py
var tableNames = [
  'tenants'
  'shares'
  'deliveries'
  'bytenant'
  'targets'
  'open'
  'reconcile'
]

var grantsOfApp = [
  {
    role: 'Storage Blob Data Owner'
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    operation: 'The Functions host reads the package, and keeps its leases and keys: AzureWebJobsStorage'
  }
  {
    role: 'Storage Table Data Contributor'
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    operation: 'The handlers read and write the rows'
  }
]
var grantsOfOperator = [
  {
    role: 'Storage Table Data Contributor'
    principalId: operatorPrincipalId
    principalType: operatorPrincipalType
    operation: 'fanout apply writes the rules; fanout status, show and others read the rows'
  }
]
var grants = concat(grantsOfApp, empty(operatorPrincipalId) ? [] : grantsOfOperator)

resource account 'Microsoft.Storage/storageAccounts@2024-01-01' = {
  name: name
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: {
    name: sku
  }
  properties: {
    allowBlobPublicAccess: false
    allowCrossTenantReplication: false
    allowSharedKeyAccess: false
    defaultToOAuthAuthentication: true
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    publicNetworkAccess: isPrivate ? 'Disabled' : 'Enabled'
    networkAcls: {
      bypass: 'None'
      defaultAction: isPrivate ? 'Deny' : 'Allow'
    }
  }
}

resource blobs 'Microsoft.Storage/storageAccounts/blobServices@2024-01-01' = {
  parent: account
  name: 'default'
}

resource packages 'Microsoft.Storage/storageAccounts/blobServices/containers@2024-01-01' = {
  parent: blobs
  name: 'app-package'
}

resource tableService 'Microsoft.Storage/storageAccounts/tableServices@2024-01-01' = {
  parent: account
  name: 'default'
}

resource tables 'Microsoft.Storage/storageAccounts/tableServices/tables@2024-01-01' = [for tableName in tableNames: {
  parent: tableService
  name: tableName
}]

resource roleAssignments 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for grant in grants: {
  name: guid(account.id, grant.principalId, roles[grant.role])
  scope: account
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles[grant.role])
    principalId: grant.principalId
    principalType: grant.principalType
    description: grant.operation
  }
}]

output id string = account.id
output blobEndpoint string = account.properties.primaryEndpoints.blob
output tableEndpoint string = account.properties.primaryEndpoints.table
output packageContainerName string = packages.name
