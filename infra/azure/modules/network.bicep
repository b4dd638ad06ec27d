// The app's network: private endpoints of what it uses, and one public address for its calls to Azure ML and Azure Resource Manager.

@description('Name of the virtual network.')
param name string

@description('Region.')
param location string

@description('Tags.')
param tags object

@description('Id of the storage account.')
param storageAccountId string

@description('Id of the Service Bus namespace.')
param serviceBusId string

@description('What outcome events go to: none, topic or domain.')
param outcomes string

@description('Id of that topic or domain; empty: none.')
param outcomesId string

resource address 'Microsoft.Network/publicIPAddresses@2024-05-01' = {
  name: '${name}-out'
  location: location
  tags: tags
  sku: {
    name: 'Standard'
  }
  properties: {
    publicIPAllocationMethod: 'Static'
  }
}

resource gateway 'Microsoft.Network/natGateways@2024-05-01' = {
  name: '${name}-out'
  location: location
  tags: tags
  sku: {
    name: 'Standard'
  }
  properties: {
    publicIpAddresses: [
      {
        id: address.id
      }
    ]
  }
}

resource network 'Microsoft.Network/virtualNetworks@2024-05-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    addressSpace: {
      addressPrefixes: [
        '10.0.0.0/16'
      ]
    }
    subnets: [
      {
        name: 'app'
        properties: {
          addressPrefix: '10.0.0.0/22'
          natGateway: {
            id: gateway.id
          }
          delegations: [
            {
              name: 'flex-consumption'
              properties: {
                serviceName: 'Microsoft.App/environments'
              }
            }
          ]
        }
      }
      {
        name: 'private-endpoints'
        properties: {
          addressPrefix: '10.0.4.0/24'
          privateEndpointNetworkPolicies: 'Disabled'
        }
      }
    ]
  }
}

resource appSubnet 'Microsoft.Network/virtualNetworks/subnets@2024-05-01' existing = {
  parent: network
  name: 'app'
}

resource endpointSubnet 'Microsoft.Network/virtualNetworks/subnets@2024-05-01' existing = {
  parent: network
  name: 'private-endpoints'
}

module blobs 'private-endpoint.bicep' = {
  name: 'private-endpoint-blobs'
  params: {
    name: '${name}-blobs'
    location: location
    tags: tags
    serviceId: storageAccountId
    groupId: 'blob'
    zoneName: 'privatelink.blob.${environment().suffixes.storage}'
    networkId: network.id
    subnetId: endpointSubnet.id
  }
}

module tables 'private-endpoint.bicep' = {
  name: 'private-endpoint-tables'
  params: {
    name: '${name}-tables'
    location: location
    tags: tags
    serviceId: storageAccountId
    groupId: 'table'
    zoneName: 'privatelink.table.${environment().suffixes.storage}'
    networkId: network.id
    subnetId: endpointSubnet.id
  }
}

module serviceBus 'private-endpoint.bicep' = {
  name: 'private-endpoint-service-bus'
  params: {
    name: '${name}-service-bus'
    location: location
    tags: tags
    serviceId: serviceBusId
    groupId: 'namespace'
    zoneName: 'privatelink.servicebus.windows.net'
    networkId: network.id
    subnetId: endpointSubnet.id
  }
}

module outcomeEvents 'private-endpoint.bicep' = if (outcomes != 'none') {
  name: 'private-endpoint-outcomes'
  params: {
    name: '${name}-outcomes'
    location: location
    tags: tags
    serviceId: outcomesId
    groupId: outcomes
    zoneName: 'privatelink.eventgrid.azure.net'
    networkId: network.id
    subnetId: endpointSubnet.id
  }
}

output appSubnetId string = appSubnet.id
