import {peakKibibytes} from './peak.js'

/* Given to a command by `--import`: it writes `peak KIBIBYTES` to stderr when it ends. */
process.on('exit', () => process.stderr.write(`peak ${peakKibibytes()}\n`))
