// Where outcome events go: a custom topic, or a domain in which each tenant has a topic of its own.

@description('Name of the topic or domain.')
param name string

@description('Region.')
param location string

@description('Tags.')
param tags object

@description('Whether it is a domain.')
param isDomain bool

@description('Whether events are published through a private endpoint only.')
param isPrivate bool

@description('Principal id of the identity that the app acts by.')
param appPrincipalId string

var roles = loadJsonContent('../roles.json')
var role = roles['EventGrid Data Sender']
var operation = 'The handlers publish outcome events'
var settings = {
  inputSchema: 'CloudEventSchemaV1_0'
  disableLocalAuth: true
  minimumTlsVersionAllowed: '1.2'
  publicNetworkAccess: isPrivate ? 'Disabled' : 'Enabled'
}

resource topic 'Microsoft.EventGrid/topics@2025-02-15' = if (!isDomain) {
  name: name
  location: location
  tags: tags
  properties: settings
}

resource domain 'Microsoft.EventGrid/domains@2025-02-15' = if (isDomain) {
  name: name
  location: location
  tags: tags
  properties: settings
}

resource publishesToTopic 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!isDomain) {
  name: guid(topic.id, appPrincipalId, role)
  scope: topic
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role)
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    description: operation
  }
}

resource publishesToDomain 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (isDomain) {
  name: guid(domain.id, appPrincipalId, role)
  scope: domain
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role)
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    description: operation
  }
}

output id string = isDomain ? domain.id : topic.id
output endpoint string = isDomain ? domain!.properties.endpoint : topic!.properties.endpoint
