/**
 * Import this first. On SIGUSR1 Node opens its debugger on 127.0.0.1:9229, to every user of the machine, unless somebody
 * hears the signal. Pgpool-II knows SIGUSR1, so scripts send it.
 */
process.on('SIGUSR1', () => undefined);
