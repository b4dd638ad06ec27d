// Fanout in the provider's Azure subscription, for `azd up`. What each tenant and each registry needs is in tenant/ and registry/.
targetScope = 'subscription'

@description('Name of the azd environment: the tag azd-env-name, and a part of every name.')
@minLength(1)
@maxLength(64)
param environmentName string

@description('Region of everything here. Flex Consumption must be offered there: az functionapp list-flexconsumption-locations.')
@minLength(1)
@metadata({
  azd: {
    type: 'location'
  }
})
param location string

@description('Resource group to make; empty: rg- and the name of the environment.')
param resourceGroupName string = ''

@description('Object id of who runs `fanout` by hand: a person, a group, an application. Empty: nobody yet.')
param operatorPrincipalId string = ''

@description('What the operator is to Entra ID.')
@allowed(['User', 'Group', 'ServicePrincipal'])
param operatorPrincipalType string = 'User'

@description('Memory of an instance; it brings its share of a core: 2048 one, 4096 two.')
@allowed([2048, 4096])
param instanceMemoryMB int = 2048

@description('Most instances of the app. All its functions together stay below it.')
@minValue(40)
@maxValue(1000)
param maximumInstanceCount int = 100

@description('Instances that are always ready for each of the queues commands and wakeups. 0 costs nothing while nothing happens.')
@minValue(0)
param alwaysReadyInstanceCount int = 0

@description('Redundancy of the storage account, which holds the rows. Standard_ZRS where the region has zones.')
@allowed(['Standard_LRS', 'Standard_ZRS', 'Standard_GRS', 'Standard_GZRS'])
param storageSku string = 'Standard_LRS'

@description('Tier of Service Bus. A private network takes Premium whatever this says. Another tier is another namespace.')
@allowed(['Standard', 'Premium'])
param serviceBusTier string = 'Standard'

@description('Messaging units of Service Bus Premium.')
@allowed([1, 2, 4, 8, 16])
param messagingUnits int = 1

@description('Whether the app may read how long its queues are, by which Azure scales it. That right is only to be had with the role of their owner.')
param scaleByQueueLength bool = true

@description('Who is told of outcomes: nobody, a custom topic, or a domain that has a topic for each tenant.')
@allowed(['none', 'topic', 'domain'])
param outcomes string = 'none'

@description('Reach storage, Service Bus and outcomes through private endpoints only. Events then come by queue `events`.')
param privateNetwork bool = false

@description('When the timer runs, NCRONTAB in UTC.')
param reconcileSchedule string = '0 */5 * * * *'

@description('How late a row is, in seconds, before the timer sends a wake-up for it.')
@minValue(0)
param overdueSeconds int = 300

@description('Another cloud than public Azure: JSON, name and metadata as MLClient takes them. Empty: public Azure.')
param azureCloud string = ''

@description('Who gets the alerts by e-mail. Empty: they are only shown in Azure Monitor.')
param alertEmail string = ''

@description('Share of deliveries, in per cent of those that ended within an hour, whose failure raises the alert.')
@minValue(0)
@maxValue(100)
param failuresAllowedPercent int = 20

@description('Age in minutes of a delivery that nothing holds back from which on it raises the alert.')
@minValue(1)
param oldestDeliveryMinutes int = 360

var token = toLower(uniqueString(subscription().id, environmentName, location))
var tags = {
  'azd-env-name': environmentName
}
var tier = privateNetwork ? 'Premium' : serviceBusTier

resource group 'Microsoft.Resources/resourceGroups@2024-03-01' = {
  name: empty(resourceGroupName) ? 'rg-${environmentName}' : resourceGroupName
  location: location
  tags: tags
}

module identity 'modules/identity.bicep' = {
  name: 'identity'
  scope: group
  params: {
    name: 'id-${token}'
    location: location
    tags: tags
  }
}

module monitoring 'modules/monitoring.bicep' = {
  name: 'monitoring'
  scope: group
  params: {
    workspaceName: 'log-${token}'
    applicationInsightsName: 'appi-${token}'
    location: location
    tags: tags
    appPrincipalId: identity.outputs.principalId
  }
}

module storage 'modules/storage.bicep' = {
  name: 'storage'
  scope: group
  params: {
    name: 'st${token}'
    location: location
    tags: tags
    sku: storageSku
    isPrivate: privateNetwork
    appPrincipalId: identity.outputs.principalId
    operatorPrincipalId: operatorPrincipalId
    operatorPrincipalType: operatorPrincipalType
  }
}

module serviceBus 'modules/service-bus.bicep' = {
  name: 'service-bus'
  scope: group
  params: {
    name: (tier == 'Premium') ? 'sb-premium-${token}' : 'sb-${token}' // a namespace cannot change its tier
    location: location
    tags: tags
    tier: tier
    messagingUnits: messagingUnits
    isPrivate: privateNetwork
    scaleByQueueLength: scaleByQueueLength
    appPrincipalId: identity.outputs.principalId
    operatorPrincipalId: operatorPrincipalId
    operatorPrincipalType: operatorPrincipalType
  }
}

module outcomeEvents 'modules/outcomes.bicep' = if (outcomes != 'none') {
  name: 'outcomes'
  scope: group
  params: {
    name: 'evg-${token}'
    location: location
    tags: tags
    isDomain: outcomes == 'domain'
    isPrivate: privateNetwork
    appPrincipalId: identity.outputs.principalId
  }
}

module network 'modules/network.bicep' = if (privateNetwork) {
  name: 'network'
  scope: group
  params: {
    name: 'vnet-${token}'
    location: location
    tags: tags
    storageAccountId: storage.outputs.id
    serviceBusId: serviceBus.outputs.id
    outcomes: outcomes
    outcomesId: (outcomes == 'none') ? '' : outcomeEvents!.outputs.id
  }
}

module app 'modules/function-app.bicep' = {
  name: 'function-app'
  scope: group
  params: {
    name: 'func-${token}'
    planName: 'plan-${token}'
    location: location
    tags: tags
    identityId: identity.outputs.id
    clientId: identity.outputs.clientId
    blobEndpoint: storage.outputs.blobEndpoint
    tableEndpoint: storage.outputs.tableEndpoint
    packageContainerName: storage.outputs.packageContainerName
    serviceBusHostName: serviceBus.outputs.hostName
    outcomesTopicEndpoint: (outcomes == 'topic') ? outcomeEvents!.outputs.endpoint : ''
    outcomesDomainEndpoint: (outcomes == 'domain') ? outcomeEvents!.outputs.endpoint : ''
    applicationInsightsConnectionString: monitoring.outputs.connectionString
    subnetId: privateNetwork ? network!.outputs.appSubnetId : ''
    instanceMemoryMB: instanceMemoryMB
    maximumInstanceCount: maximumInstanceCount
    alwaysReadyInstanceCount: alwaysReadyInstanceCount
    reconcileSchedule: reconcileSchedule
    overdueSeconds: overdueSeconds
    azureCloud: azureCloud
  }
}

module alerts 'modules/alerts.bicep' = {
  name: 'alerts'
  scope: group
  params: {
    location: location
    tags: tags
    workspaceId: monitoring.outputs.workspaceId
    serviceBusId: serviceBus.outputs.id
    email: alertEmail
    failuresAllowedPercent: failuresAllowedPercent
    oldestDeliveryMinutes: oldestDeliveryMinutes
  }
}

// azd keeps these in its environment: `azd env get-values`.
@description('Region of everything here.')
output AZURE_LOCATION string = location

@description('Entra tenant. Workspaces and registries of another one cannot be reached.')
output AZURE_TENANT_ID string = tenant().tenantId

@description('Resource group of everything here.')
output AZURE_RESOURCE_GROUP string = group.name

@description('The function app.')
output AZURE_FUNCTION_NAME string = app.outputs.name

@description('Setting of the `fanout` command: the queues.')
output ServiceBus__fullyQualifiedNamespace string = serviceBus.outputs.hostName

@description('Setting of the `fanout` command: the tables.')
output Tables__tableServiceUri string = storage.outputs.tableEndpoint

@description('For tenant/, registry/ and `fanout doctor`: the principal id of the app.')
output FANOUT_PRINCIPAL_ID string = identity.outputs.principalId

@description('Setting of `fanout doctor`: whose webhook is ours.')
output FANOUT_HOSTNAME string = app.outputs.hostName

@description('For tenant/, where events come by webhook: append &code= and the system key eventgrid_extension of the app.')
output FANOUT_WEBHOOK_URL string = 'https://${app.outputs.hostName}/runtime/webhooks/EventGrid?functionName=model_registered'

@description('For tenant/, where events come by queue.')
output FANOUT_EVENTS_QUEUE_ID string = serviceBus.outputs.eventsQueueId

@description('Where outcome events go; empty: nowhere.')
output FANOUT_OUTCOMES_ID string = (outcomes == 'none') ? '' : outcomeEvents!.outputs.id
