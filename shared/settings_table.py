"""All app settings, each described once. `shared.settings` reads them, `fanout settings` prints them, the README shows that.

A setting keeps its name and its meaning: what is to mean something else gets another name, and `since` says from which version on.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Setting:
    """`default` is the value that counts where it is left out, and `left_out` says in words what happens then.

    `instead` names the one that can be set in its place; of two, only the first is then `required`. `example`: of what
    a settings file on a laptop must have. `of_the_app`: the app reads it, and not only the command line.
    """

    name: str
    meaning: str
    since: str
    default: str = ""
    left_out: str = ""
    required: bool = False
    instead: str = ""
    secret: bool = False
    example: str = ""
    of_the_app: bool = True


SERVICE_BUS = Setting(
    "ServiceBus",
    "connection string of the Service Bus namespace with the queues `commands`, `wakeups`, `events`, `rejected`",
    since="0.1",
    required=True,
    instead="ServiceBus__fullyQualifiedNamespace",
    secret=True,
)
SERVICE_BUS_ADDRESS = Setting(
    "ServiceBus__fullyQualifiedNamespace",
    "the namespace's address, for the app's identity",
    since="0.1",
    instead="ServiceBus",
    example="<namespace>.servicebus.windows.net",
)
TABLES = Setting(
    "Tables",
    "connection string of the storage account with the tables",
    since="0.1",
    required=True,
    instead="Tables__tableServiceUri",
    secret=True,
)
TABLES_ADDRESS = Setting(
    "Tables__tableServiceUri",
    "the account's table service, for the app's identity",
    since="0.1",
    instead="Tables",
    example="https://<account>.table.core.windows.net",
)
OUTCOMES_TOPIC = Setting(
    "Outcomes__topicEndpointUri",
    "Event Grid topic that is told of outcomes",
    since="0.1",
    left_out="nobody is told",
)
OUTCOMES_DOMAIN = Setting(
    "Outcomes__domainEndpointUri",
    "Event Grid domain that is told of outcomes, each tenant on a topic of its own; instead of a topic",
    since="0.1",
    left_out="nobody is told",
)
OUTCOMES_KEY = Setting(
    "Outcomes__key", "key of that topic or domain", since="0.1", left_out="the app's identity publishes", secret=True
)
RECONCILE_SCHEDULE = Setting(
    "FANOUT_RECONCILE_SCHEDULE",
    "when the timer runs, NCRONTAB; read by the Functions host",
    since="0.1",
    required=True,
    example="0 */5 * * * *",
)
OVERDUE_SECONDS = Setting(
    "FANOUT_OVERDUE_SECONDS", "how late a row is before the timer sends a wake-up for it", since="0.1", default="300"
)
AZURE_CLOUD = Setting(
    "FANOUT_AZURE_CLOUD",
    'another cloud than public Azure: `{"name": …, "metadata": …}` as MLClient\'s `cloud` and `cloud_metadata`',
    since="0.1",
    left_out="public Azure",
)
CLIENT_ID = Setting(
    "AZURE_CLIENT_ID",
    "client id of the app's user-assigned identity; read by azure-identity, like its other settings",
    since="0.1",
    left_out="the system-assigned identity, or who is signed in",
)
THREADS = Setting(
    "PYTHON_THREADPOOL_THREAD_COUNT",
    "how many handlers run at a time in one process: at least 16, the `maxConcurrentCalls` of `host.json`; "
    "an eighth of it, at least 2, work for one workspace at a time",
    since="0.1",
    left_out="what Python chooses, which is too few",
    example="32",
)

PRINCIPAL_ID = Setting(
    "FANOUT_PRINCIPAL_ID",
    "for `fanout doctor`, `onboard` and `offboard`: the object id of the app's identity, whose roles they are about",
    since="0.1",
    left_out="`doctor --principal-id` says it",
    of_the_app=False,
)
HOSTNAME = Setting(
    "FANOUT_HOSTNAME",
    "for these commands: the function app's host name, by which they know event subscriptions that lead to the app",
    since="0.1",
    left_out="to the doctor any app's that has such a function; to `offboard` none is ours for certain",
    of_the_app=False,
)
EVENTS_QUEUE_ID = Setting(
    "FANOUT_EVENTS_QUEUE_ID",
    "for `fanout onboard`: the ARM id of queue `events`, where events come by queue",
    since="0.1",
    left_out="a placeholder stands in what it prints",
    of_the_app=False,
)

SETTINGS = (
    SERVICE_BUS,
    SERVICE_BUS_ADDRESS,
    TABLES,
    TABLES_ADDRESS,
    OUTCOMES_TOPIC,
    OUTCOMES_DOMAIN,
    OUTCOMES_KEY,
    RECONCILE_SCHEDULE,
    OVERDUE_SECONDS,
    AZURE_CLOUD,
    CLIENT_ID,
    THREADS,
    PRINCIPAL_ID,
    HOSTNAME,
    EVENTS_QUEUE_ID,
)

# Those of the Functions host itself, which a settings file on a laptop needs besides.
OF_THE_HOST = {"FUNCTIONS_WORKER_RUNTIME": "python", "AzureWebJobsStorage": "UseDevelopmentStorage=true"}
