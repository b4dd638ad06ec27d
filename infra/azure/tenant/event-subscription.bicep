// The event subscription. A template of its own as well, for who may write to the provider's queue: Event Grid asks that of whoever
// leads events there, and the tenant's administrator may not.

@description('The workspace\'s system topic.')
param systemTopicName string

@description('Where events go: the webhook with its key. Empty: to the queue.')
@secure()
param webhookUrl string = ''

@description('Where events go instead: id of the provider\'s queue `events`.')
param eventsQueueId string = ''

@description('Id of the storage account for events that could not be delivered.')
param deadLetterStorageId string

@description('Container for these events.')
param deadLetterContainerName string

var toWebhook = {
  endpointType: 'WebHook'
  properties: {
    endpointUrl: webhookUrl
    maxEventsPerBatch: 1
    preferredBatchSizeInKilobytes: 64
  }
}
var toQueue = {
  identity: {
    type: 'SystemAssigned'
  }
  destination: {
    endpointType: 'ServiceBusQueue'
    properties: {
      resourceId: eventsQueueId
    }
  }
}

resource topic 'Microsoft.EventGrid/systemTopics@2025-02-15' existing = {
  name: systemTopicName
}

resource modelRegistered 'Microsoft.EventGrid/systemTopics/eventSubscriptions@2025-02-15' = {
  parent: topic
  name: 'fanout'
  properties: {
    destination: empty(eventsQueueId) ? toWebhook : null
    deliveryWithResourceIdentity: empty(eventsQueueId) ? null : toQueue
    eventDeliverySchema: 'EventGridSchema'
    filter: {
      includedEventTypes: [
        'Microsoft.MachineLearningServices.ModelRegistered'
      ]
    }
    retryPolicy: {
      maxDeliveryAttempts: 30
      eventTimeToLiveInMinutes: 1440
    }
    deadLetterWithResourceIdentity: {
      identity: {
        type: 'SystemAssigned'
      }
      deadLetterDestination: {
        endpointType: 'StorageBlob'
        properties: {
          resourceId: deadLetterStorageId
          blobContainerName: deadLetterContainerName
        }
      }
    }
  }
}
