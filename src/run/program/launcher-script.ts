/**
 * The launcher starts a program in ways that Node cannot. It is written in Perl, which Debian, macOS and most other systems have.
 * It takes options up to `--`, then the command.
 *
 * - `hex`: the command's words are in hexadecimal, because they are not UTF-8; `env`: NAME=VALUE entries, also in hexadecimal
 * - `perl`: environment variables that are only meant for Perl itself and are removed for the program
 * - `nofile` SOFT:HARD:SYSCALL: the limit of open files; `ignore`: signals to ignore; `close`: file descriptors to close
 * - `tty` PATH, `on` 0,1,2: the pseudo-terminal, and the file descriptors that refer to it
 * - `keep` DESCRIPTOR: the program gets a process group of its own, and the launcher stays as the session leader. If the program led
 *   the session, its end would send SIGHUP to the children that it left running. The launcher reports `pid N`, `stop SIGNAL` and
 *   `end STATUS` on this descriptor. On a terminal it stays until the session has no other process.
 * - `reap` SYSCALL: the launcher also reaps orphaned processes
 * - `front`, `control`: ioctl numbers that set the foreground process group and the controlling terminal
 */
export const launcherScript = String.raw`
my %o;
while (@ARGV) { my $a = shift @ARGV; last if $a eq '--'; my ($k, $v) = split /=/, $a, 2; $o{$k} = $v }
delete $ENV{$_} for split /,/, $o{perl} // '';
@ARGV = map { pack 'H*', $_ } @ARGV if $o{hex};
for (split /,/, $o{env} // '') { my ($n, $v) = split /=/, pack('H*', $_), 2; $ENV{$n} = $v }
sub let_go { for (@_) { my $h; (open($h, '<&=', $_) or open($h, '>&=', $_)) and close $h } }
sub has_others {
  opendir(my $d, '/proc') or return 1;
  for my $q (grep { /^\d+$/ and $_ != $$ } readdir $d) {
    open(my $f, '<', "/proc/$q/stat") or next;
    return 1 if (<$f> // '') =~ /.*\) [^Z] \d+ \d+ $$ /;
  }
  return 0;
}
let_go(split /,/, $o{close} // '');
if ($o{nofile}) { my ($soft, $hard, $call) = split /:/, $o{nofile}; my $l = pack 'QQ', $soft, $hard; syscall($call, 0, 7, $l, 0) }
my $t;
if (defined $o{tty}) {
  open($t, '+<', $o{tty}) or die "cannot open the terminal $o{tty}: $!\n";
  ioctl($t, $o{control}, 0) if $o{control};
  for (split /,/, $o{on} // '') { open($_ == 0 ? *STDIN : $_ == 1 ? *STDOUT : *STDERR, '+<&', $t) }
}
if (defined $o{keep}) {
  open(my $s, '+>&=', $o{keep}) or die;
  syscall($o{reap}, 36, 1) if $o{reap};
  $SIG{$_} = 'IGNORE' for qw(TTOU TTIN TSTP INT QUIT);
  my $p = fork() // die "cannot fork: $!\n";
  if ($p) {
    setpgrp($p, $p);
    $0 = "shannon-dash: keeps the session of $p";
    let_go(0, 1, 2, split /,/, $o{theirs} // '');
    close $t if $t;
    syswrite($s, "pid $p\n");
    while (1) {
      my $w = waitpid($o{reap} ? -1 : $p, 2);
      if ($w < 0) { next if $! == 4; last }
      next if $w != $p;
      my $e = ${'${^CHILD_ERROR_NATIVE}'};
      syswrite($s, ($e & 255) == 127 ? 'stop ' . ($e >> 8) . "\n" : "end $e\n");
      last if ($e & 255) != 127 && !$o{reap};
    }
    close $s;
    $SIG{HUP} = 'DEFAULT';
    sleep 2 while $t and has_others();
    exit;
  }
  close $s;
  setpgrp(0, 0);
  ioctl($t, $o{front}, pack('i', $$)) if $t;
  $SIG{$_} = 'DEFAULT' for qw(TTOU TTIN TSTP INT QUIT);
}
close $t if $t;
$SIG{$_} = 'IGNORE' for split /,/, $o{ignore} // '';
no warnings;
exec { $ARGV[0] } @ARGV;
my $missing = $! == 2;
print STDERR "shannon-dash: cannot run $ARGV[0]: $!\n";
exit($missing ? 127 : 126);
`;
