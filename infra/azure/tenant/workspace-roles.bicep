// What Fanout may do in a workspace.

@description('Name of the workspace.')
param workspaceName string

@description('Principal id of Fanout\'s identity.')
param fanoutPrincipalId string

var roles = loadJsonContent('../roles.json')
var role = roles['AzureML Data Scientist']

resource workspace 'Microsoft.MachineLearningServices/workspaces@2024-10-01' existing = {
  name: workspaceName
}

resource worksThere 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(workspace.id, fanoutPrincipalId, role)
  scope: workspace
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role)
    principalId: fanoutPrincipalId
    principalType: 'ServicePrincipal'
    description: 'Fanout reads what is shared, registers and archives what is delivered, and deploys it to online and batch endpoints'
  }
}
