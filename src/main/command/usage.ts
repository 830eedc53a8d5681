/** What `pgpool -h` prints. */
import { versionText } from '../../shared/version.js';

export const usage = `${versionText()}
  A proxy for PostgreSQL: connection pool, load balancer

Usage:
  pgpool [ -f CONFIG_FILE ] [ -F PCP_CONFIG_FILE ] [ -a HBA_CONFIG_FILE ] [ -k KEY_FILE ]
         [ -n ] [ -D ] [ -C ] [ -d ] [ -x ]
  pgpool [ -f CONFIG_FILE ] [ -m SHUTDOWN-MODE ] stop
  pgpool [ -f CONFIG_FILE ] reload
  pgpool [ -f CONFIG_FILE ] status
  pgpool [ -f CONFIG_FILE ] [ -F PCP_CONFIG_FILE ] [ -a HBA_CONFIG_FILE ] check-config
  pgpool [ -f CONFIG_FILE ] [ -a HBA_CONFIG_FILE ] [ -k KEY_FILE ] check-auth -U USER [ -d DATABASE ]
         [ -h ADDRESS ] [ --tls ] [ -W ] [ --json ]

Common options:
  -a, --hba-file=HBA_CONFIG_FILE    path of pool_hba.conf (default: beside pgpool.conf)
  -f, --config-file=CONFIG_FILE     path of pgpool.conf (default: /etc/pgpool2/pgpool.conf)
  -F, --pcp-file=PCP_CONFIG_FILE    path of pcp.conf (default: beside pgpool.conf)
  -k, --key-file=KEY_FILE           path of the file with the key for passwords in pool_passwd
                                    (default: $PGPOOLKEYFILE, else ~/.pgpoolkey)
  -h, --help                        print this help
  -v, --version                     print the version

Start options:
  -n, --dont-detach                 stay in the foreground
  -D, --discard-status              forget the states that the nodes had (pgpool_status)
  -C, --clear-oidmaps               clear the query cache's table maps in memcached
  -d, --debug                       log debug messages
  -x, --debug-assertions            accepted; there is nothing to turn on

Stop options:
  -m, --mode=SHUTDOWN-MODE          smart (default), fast or immediate; the first letter is enough

Shutdown modes are:
  smart       no new clients; end when those that are there have left
  fast        end all sessions now
  immediate   the same as fast

Further commands:
  status        tell whether pgpool runs: exit status 0, 3 when it does not
  check-config  look for faults in all files, and for what differs from the pgpool that runs; exit status 1 with a fault
  check-auth    explain step by step whether this user can log in, and why: exit status 0, 1 when not, 2 with faulty files

Options of check-auth (-h and -d mean something else with it):
  -U, --username=USER               the user
  -d, --dbname=DATABASE             the database (default: named as the user)
  -h, --host=ADDRESS                where the client comes from: an IP address, or local for a Unix socket
                                    (default: a Unix socket, and 127.0.0.1)
      --tls                         the client uses TLS
  -W, --password                    ask for the password, compare it, and log in to the DB nodes with it
      --json                        print JSON
`;
