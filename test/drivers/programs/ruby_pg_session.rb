# What the scenario of ruby-pg stands on: its sessions, and how checks are reported.
require 'pg'

HOST, PORT, URI_TEXT, SCHEMA, READS, PRIMARY_PORT = %w[HOST PORT URI SCHEMA READS PRIMARY_PORT].map { |name| ENV.fetch("DRIVER_#{name}") }
$stdout.sync = true
$checks = 0

def check(name)
  $checks += 1
  yield
  puts "ok - #{name}"
rescue StandardError => e
  line = (e.backtrace || []).grep(/ruby_pg_scenario.rb.*block in <main>/).first.to_s[/:(\d+):/, 1]
  puts "not ok - #{name}: line #{line}: #{e.class} #{e.message.gsub(/\s+/, ' ')}"
end

def equal(actual, expected)
  raise "#{actual.inspect[0, 300]} instead of #{expected.inspect[0, 300]}" unless actual == expected
end

def fails(state)
  yield
rescue PG::Error => e
  got = e.respond_to?(:result) && e.result ? e.result.error_field(PG::PG_DIAG_SQLSTATE) : nil
  raise "#{got} (#{e.message}) instead of #{state}" unless got == state
  e
else
  raise "no error instead of #{state}"
end

def session
  db = PG.connect(URI_TEXT)
  db.exec("set search_path to #{SCHEMA}, public")
  yield db
ensure
  db&.close unless db&.finished?
end

def one(db, sql, values = nil)
  result = values ? db.exec_params(sql, values) : db.exec(sql)
  result.ntuples.positive? ? result.getvalue(0, 0) : nil
end

def settle(db)
  mark = rand(2**60)
  db.exec("insert into #{SCHEMA}.mark values (#{mark})")
  1000.times do
    return if one(db, "select count(*) from #{SCHEMA}.mark where n = #{mark}").to_i == 1
    sleep 0.02
  end
  raise 'the standby does not follow'
end

def expect_reader(port)
  raise "read from port #{port}" if (READS == 'primary' && port != PRIMARY_PORT) || (READS == 'standby' && port == PRIMARY_PORT)
end
