// Where logs and traces go: Application Insights on a workspace of Log Analytics. Host and worker send OpenTelemetry, by identity.

@description('Name of the Log Analytics workspace.')
param workspaceName string

@description('Name of Application Insights.')
param applicationInsightsName string

@description('Region.')
param location string

@description('Tags.')
param tags object

@description('Principal id of the identity that the app acts by.')
param appPrincipalId string

var roles = loadJsonContent('../roles.json')

resource workspace 'Microsoft.OperationalInsights/workspaces@2023-09-01' = {
  name: workspaceName
  location: location
  tags: tags
  properties: {
    retentionInDays: 30
    sku: {
      name: 'PerGB2018'
    }
  }
}

resource applicationInsights 'Microsoft.Insights/components@2020-02-02' = {
  name: applicationInsightsName
  location: location
  tags: tags
  kind: 'web'
  properties: {
    Application_Type: 'web'
    DisableLocalAuth: true
    WorkspaceResourceId: workspace.id
  }
}

resource sendsTelemetry 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(applicationInsights.id, appPrincipalId, roles['Monitoring Metrics Publisher'])
  scope: applicationInsights
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles['Monitoring Metrics Publisher'])
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    description: 'Fanout sends logs, traces and metrics'
  }
}

output workspaceId string = workspace.id
output connectionString string = applicationInsights.properties.ConnectionString
