# What the scenario of DBD::Pg stands on: its sessions, and how checks are reported.
package DbdPgSession;
use strict;
use warnings;
use DBI;
use Time::HiRes qw(sleep);
use parent 'Exporter';

our @EXPORT = qw(check equal fails session one settle expect_reader done $host $port $schema);
our ($host, $port, $schema, $reads, $primary_port) = @ENV{qw(DRIVER_HOST DRIVER_PORT DRIVER_SCHEMA DRIVER_READS DRIVER_PRIMARY_PORT)};
my $checks = 0;

sub check {
    my ($name, $code) = @_;
    $checks++;
    return print "ok - $name\n" if eval { $code->(); 1 };
    my $reason = $@ =~ s/\s+/ /gr;
    print "not ok - $name: $reason\n";
}

sub show { my ($value) = @_; return ref $value eq 'ARRAY' ? '[' . join(', ', map { show($_) } @$value) . ']' : defined $value ? "'$value'" : 'undef' }
sub equal {
    my ($actual, $expected) = @_;
    my (undef, undef, $line) = caller;
    die 'line ' . $line . ': ' . substr(show($actual), 0, 200) . ' instead of ' . substr(show($expected), 0, 200) . "\n" if show($actual) ne show($expected);
}

sub fails {
    my ($state, $code, $handle) = @_;
    my (undef, undef, $line) = caller;
    die "line $line: no error instead of $state\n" if eval { $code->(); 1 };
    my $got = $DBI::state;
    die "line $line: $got instead of $state: $@" if $got ne $state;
}

sub session {
    my (%more) = @_;
    my $db = DBI->connect("dbi:Pg:host=$host;port=$port;dbname=test", 'postgres', '', { RaiseError => 1, PrintError => 0, PrintWarn => 0, AutoCommit => 1, pg_enable_utf8 => -1, %more });
    $db->do("set search_path to $schema, public");
    $db->commit unless $db->{AutoCommit};
    return $db;
}

sub one { my ($db, $sql, @values) = @_; return $db->selectrow_array($sql, undef, @values) }

sub settle {
    my ($db) = @_;
    my $mark = int(rand(2**40));
    $db->do("insert into $schema.mark values ($mark)");
    for (1 .. 1000) {
        return if one($db, "select count(*) from $schema.mark where n = $mark") == 1;
        sleep 0.02;
    }
    die "the standby does not follow\n";
}

sub expect_reader {
    my ($port) = @_;
    die "read from port $port\n" if $reads eq 'primary' && $port != $primary_port || $reads eq 'standby' && $port == $primary_port;
}

sub done { print "1..$checks\n" }

1;
