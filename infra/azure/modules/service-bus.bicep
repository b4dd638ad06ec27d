// The queues. What they do with a message is what the handlers assume: the local cloud has the same (infra/local/topology.py).

@description('Name of the namespace.')
param name string

@description('Region.')
param location string

@description('Tags.')
param tags object

@description('Standard or Premium; private endpoints need Premium.')
param tier string

@description('Messaging units of Premium.')
param messagingUnits int

@description('Whether it is reached through private endpoints only, and by Event Grid.')
param isPrivate bool

@description('Whether the app may read how long its queues are, which only their owner may.')
param scaleByQueueLength bool

@description('Principal id of the identity that the app acts by.')
param appPrincipalId string

@description('Object id of who runs `fanout` by hand; empty: nobody.')
param operatorPrincipalId string

@description('What the operator is to Entra ID.')
param operatorPrincipalType string

var appReceives = {
  role: 'Azure Service Bus Data Receiver'
  principalId: appPrincipalId
  principalType: 'ServicePrincipal'
  operation: 'The function of the same name receives'
}
var appSends = {
  role: 'Azure Service Bus Data Sender'
  principalId: appPrincipalId
  principalType: 'ServicePrincipal'
  operation: 'The handlers send'
}
var lengthIsRead = {
  role: 'Azure Service Bus Data Owner'
  principalId: appPrincipalId
  principalType: 'ServicePrincipal'
  operation: 'Azure scales the app by the number of messages: to read it takes the right Manage'
}
var operatorSends = {
  role: 'Azure Service Bus Data Sender'
  principalId: operatorPrincipalId
  principalType: operatorPrincipalType
  operation: 'fanout share, push, retry, reconcile and others send commands'
}
var operatorReceives = {
  role: 'Azure Service Bus Data Receiver'
  principalId: operatorPrincipalId
  principalType: operatorPrincipalType
  operation: 'fanout rejected lists what lies there, and takes out what is sent again'
}
var scaling = scaleByQueueLength ? [lengthIsRead] : []

resource namespace 'Microsoft.ServiceBus/namespaces@2024-01-01' = {
  name: name
  location: location
  tags: tags
  sku: {
    name: tier
    tier: tier
    capacity: (tier == 'Premium') ? messagingUnits : null
  }
  properties: {
    disableLocalAuth: true
    minimumTlsVersion: '1.2'
    publicNetworkAccess: isPrivate ? 'Disabled' : 'Enabled'
  }
}

resource firewall 'Microsoft.ServiceBus/namespaces/networkRuleSets@2024-01-01' = if (isPrivate) {
  parent: namespace
  name: 'default'
  properties: {
    defaultAction: 'Deny'
    publicNetworkAccess: 'Disabled'
    trustedServiceAccessEnabled: true // Event Grid delivers by a system-assigned identity
  }
}

// Whatever other systems, events and operators ask for.
module commands 'queue.bicep' = {
  name: 'queue-commands'
  params: {
    namespaceName: namespace.name
    name: 'commands'
    settings: {
      lockDuration: 'PT1M'
      maxDeliveryCount: 10
      requiresDuplicateDetection: true
      duplicateDetectionHistoryTimeWindow: 'PT10M'
      defaultMessageTimeToLive: 'P14D'
      deadLetteringOnMessageExpiration: true
    }
    grants: concat([appReceives, appSends], scaling, empty(operatorPrincipalId) ? [] : [operatorSends])
  }
}

// «Look at this row now.» A lost one is healed by the timer.
module wakeups 'queue.bicep' = {
  name: 'queue-wakeups'
  params: {
    namespaceName: namespace.name
    name: 'wakeups'
    settings: {
      lockDuration: 'PT1M'
      maxDeliveryCount: 20
      requiresDuplicateDetection: true
      duplicateDetectionHistoryTimeWindow: 'PT10M'
      defaultMessageTimeToLive: 'P7D'
      deadLetteringOnMessageExpiration: false
    }
    grants: concat([appReceives, appSends], scaling)
  }
}

// What Event Grid delivers where it can reach no webhook. It sets no message ids: there is nothing to tell duplicates by.
module events 'queue.bicep' = {
  name: 'queue-events'
  params: {
    namespaceName: namespace.name
    name: 'events'
    settings: {
      lockDuration: 'PT1M'
      maxDeliveryCount: 10
      requiresDuplicateDetection: false
      defaultMessageTimeToLive: 'P14D'
      deadLetteringOnMessageExpiration: true
    }
    grants: concat([appReceives], scaling)
  }
}

// What could not be understood, or was not allowed: for people.
module rejected 'queue.bicep' = {
  name: 'queue-rejected'
  params: {
    namespaceName: namespace.name
    name: 'rejected'
    settings: {
      lockDuration: 'PT1M'
      maxDeliveryCount: 10
      requiresDuplicateDetection: true
      duplicateDetectionHistoryTimeWindow: 'PT10M'
      defaultMessageTimeToLive: 'P14D'
      deadLetteringOnMessageExpiration: false
    }
    grants: concat([appSends], empty(operatorPrincipalId) ? [] : [operatorReceives])
  }
}

output id string = namespace.id
output hostName string = replace(replace(namespace.properties.serviceBusEndpoint, 'https://', ''), ':443/', '')
output eventsQueueId string = events.outputs.id
