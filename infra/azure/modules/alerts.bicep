// What somebody must look at. The queries read the lines that the handlers log: shared/logs.py writes «what name=value …».

@description('Region.')
param location string

@description('Tags.')
param tags object

@description('Id of the Log Analytics workspace.')
param workspaceId string

@description('Id of the Service Bus namespace.')
param serviceBusId string

@description('Who is told; empty: nobody.')
param email string

@description('Failed deliveries, in per cent of those that ended within an hour, from which on it is an alert.')
param failuresAllowedPercent int

@description('Age in minutes from which on an open delivery is an alert.')
param oldestDeliveryMinutes int

var actionGroups = empty(email) ? [] : [people.id]

var rules = [
  {
    name: 'rejected'
    title: 'Fanout rejected a message'
    description: 'See fanout rejected list: what came could not be understood or was not allowed.'
    window: 'PT15M'
    measure: 'messages'
    operator: 'GreaterThan'
    threshold: 0
    query: '''
AppTraces
| where Message startswith "command rejected " or Message startswith "event rejected " or Message startswith "wake-up rejected "
| summarize messages = count()
'''
  }
  {
    name: 'oldest-delivery'
    title: 'A delivery has been open for too long'
    description: 'See fanout deliveries: for a whole hour one was this old that waits for no approval and for no window.'
    window: 'PT1H'
    measure: 'minutes'
    operator: 'GreaterThan'
    threshold: oldestDeliveryMinutes
    query: '''
AppTraces
| where Message startswith "open work "
| summarize minutes = min(toint(extract("oldest_minutes=([0-9]+)", 1, Message)))
'''
  }
  {
    name: 'failures'
    title: 'Too many deliveries fail'
    description: 'See fanout deliveries --state failed: each says why, who must act, and how. Counted from ten ends an hour.'
    window: 'PT1H'
    measure: 'percent'
    operator: 'GreaterThan'
    threshold: failuresAllowedPercent
    query: '''
AppTraces
| where Message startswith "delivery failed " or Message startswith "delivery delivered "
| summarize ended = count(), failed = countif(Message startswith "delivery failed ")
| extend percent = iff(ended < 10, 0.0, 100.0 * failed / ended)
'''
  }
  {
    name: 'reconciler-silent'
    title: 'The reconciler is silent'
    description: 'The timer came to its end not once within an hour: see the invocations of function reconcile.'
    window: 'PT1H'
    measure: 'runs'
    operator: 'LessThan'
    threshold: 1
    query: '''
AppTraces
| where Message startswith "reconciled "
| summarize runs = count()
'''
  }
]

resource people 'Microsoft.Insights/actionGroups@2023-01-01' = if (!empty(email)) {
  name: 'fanout'
  location: 'global'
  tags: tags
  properties: {
    enabled: true
    groupShortName: 'fanout'
    emailReceivers: [
      {
        name: 'fanout'
        emailAddress: email
        useCommonAlertSchema: true
      }
    ]
  }
}

resource logAlerts 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = [for rule in rules: {
  name: 'fanout-${rule.name}'
  location: location
  tags: tags
  kind: 'LogAlert'
  properties: {
    displayName: rule.title
    description: rule.description
    enabled: true
    severity: 2
    scopes: [
      workspaceId
    ]
    evaluationFrequency: 'PT15M'
    windowSize: rule.window
    autoMitigate: true
    skipQueryValidation: true // a new workspace has no table AppTraces yet
    criteria: {
      allOf: [
        {
          query: rule.query
          metricMeasureColumn: rule.measure
          timeAggregation: 'Maximum'
          operator: rule.operator
          threshold: rule.threshold
          failingPeriods: {
            numberOfEvaluationPeriods: 1
            minFailingPeriodsToAlert: 1
          }
        }
      ]
    }
    actions: {
      actionGroups: actionGroups
    }
  }
}]

resource deadLetters 'Microsoft.Insights/metricAlerts@2018-03-01' = {
  name: 'fanout-dead-letters'
  location: 'global'
  tags: tags
  properties: {
    description: 'A message was given up: it lies in the dead-letter queue of its queue, with the reason.'
    enabled: true
    severity: 2
    scopes: [
      serviceBusId
    ]
    evaluationFrequency: 'PT5M'
    windowSize: 'PT15M'
    autoMitigate: true
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
      allOf: [
        {
          criterionType: 'StaticThresholdCriterion'
          name: 'dead-letters'
          metricNamespace: 'Microsoft.ServiceBus/namespaces'
          metricName: 'DeadletteredMessages'
          dimensions: [
            {
              name: 'EntityName'
              operator: 'Include'
              values: [
                'commands'
                'wakeups'
                'events'
                'rejected'
              ]
            }
          ]
          timeAggregation: 'Maximum'
          operator: 'GreaterThan'
          threshold: 0
        }
      ]
    }
    actions: [for group in actionGroups: {
      actionGroupId: group
    }]
  }
}
