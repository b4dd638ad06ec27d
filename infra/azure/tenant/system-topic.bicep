// The workspace's system topic: all that subscribe to its events share the one that there may be.

@description('Name of the workspace.')
param workspaceName string

@description('The topic that there is already, with a system-assigned identity; empty: make it.')
param existingName string

@description('Region of the workspace.')
param location string

@description('Tags.')
param tags object

resource workspace 'Microsoft.MachineLearningServices/workspaces@2024-10-01' existing = {
  name: workspaceName
}

resource made 'Microsoft.EventGrid/systemTopics@2025-02-15' = if (empty(existingName)) {
  name: take('evgst-${replace(workspaceName, '_', '-')}', 50)
  location: location
  tags: tags
  identity: {
    type: 'SystemAssigned'
  }
  properties: {
    source: workspace.id
    topicType: 'Microsoft.MachineLearningServices.Workspaces'
  }
}

resource found 'Microsoft.EventGrid/systemTopics@2025-02-15' existing = if (!empty(existingName)) {
  name: existingName
}

output name string = empty(existingName) ? made.name : existingName
output principalId string = empty(existingName) ? made!.identity.principalId : found!.identity.principalId
