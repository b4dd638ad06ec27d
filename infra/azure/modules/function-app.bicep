// The function app on Flex Consumption, and its settings. What another plan takes as settings stands in functionAppConfig here:
// FUNCTIONS_WORKER_RUNTIME, FUNCTIONS_EXTENSION_VERSION and WEBSITE_RUN_FROM_PACKAGE must not be set.

@description('Name of the function app; its host name begins with it.')
param name string

@description('Name of the plan. Flex Consumption takes one app a plan.')
param planName string

@description('Region.')
param location string

@description('Tags.')
param tags object

@description('Id of the identity that the app acts by.')
param identityId string

@description('Client id of that identity.')
param clientId string

@description('Address of the storage account for blobs.')
param blobEndpoint string

@description('Address of the storage account for tables.')
param tableEndpoint string

@description('Container that the package is put into.')
param packageContainerName string

@description('Host name of the Service Bus namespace.')
param serviceBusHostName string

@description('Where outcome events go, if to a topic; else empty.')
param outcomesTopicEndpoint string

@description('Where outcome events go, if to a domain; else empty.')
param outcomesDomainEndpoint string

@description('Connection string of Application Insights: addresses, and no secret, since only identities may send there.')
param applicationInsightsConnectionString string

@description('Id of the subnet that the app calls out from; empty: none.')
param subnetId string

@description('Memory of an instance.')
param instanceMemoryMB int

@description('Most instances.')
param maximumInstanceCount int

@description('Instances that are always ready for each of the queues commands and wakeups.')
param alwaysReadyInstanceCount int

@description('When the timer runs, NCRONTAB.')
param reconcileSchedule string

@description('How late a row is, in seconds, before the timer sends a wake-up for it.')
param overdueSeconds int

@description('Another cloud than public Azure, as JSON; else empty.')
param azureCloud string

var alwaysReady = [
  {
    name: 'function:commands'
    instanceCount: alwaysReadyInstanceCount
  }
  {
    name: 'function:wakeups'
    instanceCount: alwaysReadyInstanceCount
  }
]

resource plan 'Microsoft.Web/serverfarms@2024-04-01' = {
  name: planName
  location: location
  tags: tags
  kind: 'functionapp'
  sku: {
    name: 'FC1'
    tier: 'FlexConsumption'
  }
  properties: {
    reserved: true // Linux
  }
}

resource app 'Microsoft.Web/sites@2024-04-01' = {
  name: name
  location: location
  tags: union(tags, { 'azd-service-name': 'fanout' }) // the service in azure.yaml; nothing else may have this tag
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${identityId}': {}
    }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    virtualNetworkSubnetId: empty(subnetId) ? null : subnetId
    siteConfig: {
      minTlsVersion: '1.2'
    }
    functionAppConfig: {
      runtime: {
        name: 'python'
        version: '3.13'
      }
      scaleAndConcurrency: {
        instanceMemoryMB: instanceMemoryMB
        maximumInstanceCount: maximumInstanceCount
        alwaysReady: (alwaysReadyInstanceCount > 0) ? alwaysReady : []
      }
      deployment: {
        storage: {
          type: 'blobContainer'
          value: '${blobEndpoint}${packageContainerName}'
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: identityId
          }
        }
      }
    }
  }
}

resource settings 'Microsoft.Web/sites/config@2024-04-01' = {
  parent: app
  name: 'appsettings'
  properties: {
    // The Functions host
    AzureWebJobsStorage__blobServiceUri: blobEndpoint
    AzureWebJobsStorage__credential: 'managedidentity'
    AzureWebJobsStorage__clientId: clientId
    APPLICATIONINSIGHTS_CONNECTION_STRING: applicationInsightsConnectionString
    APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${clientId};Authorization=AAD'
    ServiceBus__fullyQualifiedNamespace: serviceBusHostName // the app reads it as well
    ServiceBus__credential: 'managedidentity'
    ServiceBus__clientId: clientId
    FANOUT_RECONCILE_SCHEDULE: reconcileSchedule
    // The Python worker; it sends the app's own lines, and not those of the SDKs, which tell of every request
    PYTHON_APPLICATIONINSIGHTS_ENABLE_TELEMETRY: 'true'
    PYTHON_APPLICATIONINSIGHTS_LOGGER_NAME: 'fanout'
    PYTHON_THREADPOOL_THREAD_COUNT: '32'
    // The app
    AZURE_CLIENT_ID: clientId
    AZURE_TOKEN_CREDENTIALS: 'ManagedIdentityCredential'
    Tables__tableServiceUri: tableEndpoint
    Outcomes__topicEndpointUri: outcomesTopicEndpoint
    Outcomes__domainEndpointUri: outcomesDomainEndpoint
    FANOUT_OVERDUE_SECONDS: string(overdueSeconds)
    FANOUT_AZURE_CLOUD: azureCloud
  }
}

output name string = app.name
output hostName string = app.properties.defaultHostName
