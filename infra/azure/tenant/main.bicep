// What a tenant gives Fanout, deployed by its own administrator into the resource group of its workspace:
// the event of a registered model, and the app's roles. Run it once for each workspace.

@description('Name of the workspace, in the resource group that this is deployed to.')
param workspaceName string

@description('Region of the workspace.')
param location string = resourceGroup().location

@description('Tags.')
param tags object = {}

@description('Principal id of Fanout\'s identity, of the same Entra tenant: FANOUT_PRINCIPAL_ID of the provider.')
param fanoutPrincipalId string

@description('System topic that this workspace has already: there is at most one. It needs a system-assigned identity. Empty: make one.')
param existingSystemTopicName string = ''

@description('Where events go: FANOUT_WEBHOOK_URL of the provider, with &code= and its key. Empty: to the queue.')
@secure()
param webhookUrl string = ''

@description('Where events go instead: FANOUT_EVENTS_QUEUE_ID of the provider. With neither the event subscription is left for event-subscription.bicep.')
param eventsQueueId string = ''

@description('Storage account, made here, that keeps the events that could not be delivered.')
@minLength(3)
@maxLength(24)
param deadLetterStorageName string = 'stfanout${uniqueString(resourceGroup().id, workspaceName)}'

@description('Storage account of the workspace, where Fanout must read or write there: the datastore has no secrets. Empty: it need not.')
param datastoreStorageName string = ''

@description('Resource group of that storage account.')
param datastoreResourceGroup string = resourceGroup().name

@description('Container of the datastore, such as azureml-blobstore-<id of the workspace>.')
param datastoreContainerName string = ''

@description('write: Fanout copies models and data into this workspace (mode: copy). read: it shares components, whose code lies in the account.')
@allowed(['read', 'write', 'both'])
param datastoreAccess string = 'read'

@description('Object id of who runs `fanout doctor`. Empty: it cannot look here.')
param doctorPrincipalId string = ''

@description('What the doctor is to Entra ID.')
@allowed(['User', 'Group', 'ServicePrincipal'])
param doctorPrincipalType string = 'Group'

@description('Whether the doctor may read the whole Azure subscription: quota and policy. Otherwise only this resource group.')
param doctorReadsSubscription bool = false

module systemTopic 'system-topic.bicep' = {
  name: 'fanout-system-topic-${workspaceName}'
  params: {
    workspaceName: workspaceName
    existingName: existingSystemTopicName
    location: location
    tags: tags
  }
}

module deadLetters 'dead-letters.bicep' = {
  name: 'fanout-dead-letters-${workspaceName}'
  params: {
    storageName: deadLetterStorageName
    location: location
    tags: tags
    systemTopicPrincipalId: systemTopic.outputs.principalId
    doctorPrincipalId: doctorPrincipalId
    doctorPrincipalType: doctorPrincipalType
  }
}

module eventSubscription 'event-subscription.bicep' = if (!(empty(webhookUrl) && empty(eventsQueueId))) {
  name: 'fanout-event-subscription-${workspaceName}'
  params: {
    systemTopicName: systemTopic.outputs.name
    webhookUrl: webhookUrl
    eventsQueueId: eventsQueueId
    deadLetterStorageId: deadLetters.outputs.storageId
    deadLetterContainerName: deadLetters.outputs.containerName
  }
}

module workspaceRoles 'workspace-roles.bicep' = {
  name: 'fanout-workspace-roles-${workspaceName}'
  params: {
    workspaceName: workspaceName
    fanoutPrincipalId: fanoutPrincipalId
  }
}

module datastoreRoles 'datastore-roles.bicep' = if (!empty(datastoreStorageName)) {
  name: 'fanout-datastore-roles-${workspaceName}'
  scope: resourceGroup(datastoreResourceGroup)
  params: {
    storageName: datastoreStorageName
    containerName: datastoreContainerName
    access: datastoreAccess
    fanoutPrincipalId: fanoutPrincipalId
  }
}

module groupReader 'group-reader.bicep' = if (!empty(doctorPrincipalId)) {
  name: 'fanout-doctor-${workspaceName}'
  params: {
    principalId: doctorPrincipalId
    principalType: doctorPrincipalType
  }
}

module subscriptionReader 'subscription-reader.bicep' = if (doctorReadsSubscription && !empty(doctorPrincipalId)) {
  name: 'fanout-doctor-${uniqueString(resourceGroup().id, workspaceName)}'
  scope: subscription()
  params: {
    principalId: doctorPrincipalId
    principalType: doctorPrincipalType
  }
}

@description('The system topic.')
output systemTopicName string = systemTopic.outputs.name

@description('Principal id of the system topic, for queue-sender.bicep of the provider.')
output systemTopicPrincipalId string = systemTopic.outputs.principalId

@description('Storage account of the events that could not be delivered, for event-subscription.bicep.')
output deadLetterStorageId string = deadLetters.outputs.storageId

@description('Container of these events.')
output deadLetterContainerName string = deadLetters.outputs.containerName
