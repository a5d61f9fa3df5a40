import {EnvironmentError} from '../model/errors.js'

/** Throws `WINDOWS_ONLY` off Windows, with why that is so and the command to run there. */
export function requireWindows(what: string, command: string, platform: NodeJS.Platform = process.platform): void {
  if (platform === 'win32') return
  throw new EnvironmentError('WINDOWS_ONLY', {
    what: `${what} works only on Windows.`,
    why: `It needs the Host Compute Service of Windows, and this system is ${platform}.`,
    suggestions: [`Run in an elevated terminal on the container host: ${command}`],
  })
}
