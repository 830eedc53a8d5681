/** The first user's pgpool.conf (the lab), word for word; @DIR@ stands for its directory. */
export const labFile = String.raw`# The user's lab: one primary and two standbys on one host, load balancing only.
# @DIR@ stands for the directory that holds this file. Everything else is as the user wrote it.

listen_addresses = '*'             # addresses to listen on
port = 9999
backend_clustering_mode = 'streaming_replication'

unix_socket_directories = '@DIR@/info'
unix_socket_permissions = 0600
pid_file_name = '@DIR@/info/pgpool.pid'

enable_pool_hba = on
pool_passwd  = 'pool_passwd'
authentication_timeout = 1min
allow_clear_text_frontend_auth = off

pcp_listen_addresses = '*'
pcp_port = 9898
pcp_socket_dir = '@DIR@/info'

logdir = '@DIR@/info/'
log_destination = 'stderr'
log_line_prefix = '%m: %a pid %p: '
log_connections = on
log_disconnections = on
log_pcp_processes = on
log_statement = on
client_min_messages = warning
log_min_messages = warning

logging_collector = on
log_directory = '@DIR@/info/'
log_filename = 'pgpool-%Y-%m-%d_%H%M%S.log'
log_file_mode = 0600
log_truncate_on_rotation = on
log_rotation_age = 1d

failover_command = ''
auto_failback = off

load_balance_mode = on
replicate_select = off

backend_hostname0 = '127.0.0.1'
backend_port0 = 55160
backend_weight0 = 1
backend_flag0 = 'ALLOW_TO_FAILOVER'
backend_application_name0 = 'server0'

backend_hostname1 = '127.0.0.1'
backend_port1 = 55161
backend_weight1 = 1
#backend_data_directory1 = '@DIR@/data1'
backend_flag1 = 'ALLOW_TO_FAILOVER'
backend_application_name1 = 'server1'

backend_hostname2 = '127.0.0.1'
backend_port2 = 55162
backend_weight2 = 1
backend_flag2 = 'ALLOW_TO_FAILOVER'
backend_application_name2 = 'server1'
backend_application_name2 = 'server2'   # written twice in the user's file; the last one holds

sr_check_period = 5
sr_check_user = 'pgpool_monitor'
sr_check_password = '123123'
sr_check_database = 'postgres'
delay_threshold = 10240

health_check_period = 10
health_check_timeout = 5
health_check_user = 'pgpool_monitor'
health_check_password = '123123'
health_check_database = 'postgres'
health_check_max_retries = 3
health_check_retry_delay = 2
connect_timeout = 5000

connection_cache = on
memory_cache_enabled = on
relcache_size = 300
memqcache_oiddir = '@DIR@/info/oiddir'

max_pool = 4
num_init_children = 100
child_life_time = 5min
process_management_mode = dynamic

use_watchdog = off
delegate_IP = ''                   # the old spelling of delegate_ip
wd_heartbeat_port = 0              # a key of Pgpool-II before 4.2
`;
