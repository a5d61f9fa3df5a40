import {homedir, userInfo} from 'node:os'
import process from 'node:process'

/*
 * Imported before everything else. Packages ask for the user's home folder and shell as they load, and neither is known
 * in a bare container: no HOME, and no user of that number.
 */

function isKnown(ask: () => unknown): boolean {
  try {
    ask()
    return true
  } catch {
    return false
  }
}

if (!isKnown(homedir)) process.env['HOME'] = '/'
// On Windows oclif starts PowerShell at every start, to learn what its parent is: half a second for a name.
if (process.platform === 'win32') process.env['SHELL'] ??= 'powershell'
else if (!isKnown(userInfo)) process.env['SHELL'] ??= '/bin/sh'
