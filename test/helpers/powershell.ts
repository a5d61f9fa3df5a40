import assert from 'node:assert/strict'
import {spawnSync} from 'node:child_process'
import {existsSync} from 'node:fs'
import path from 'node:path'
import {PROJECT} from './snapshot.js'
import {findTool, skipLoudly} from './tools.js'

/** What `.ci/prepare-powershell` builds: PowerShell from its packages, with Pester. */
export const PWSH = path.join(PROJECT, '.pwsh', 'bin', 'Release', process.platform === 'win32' ? 'pwsh.exe' : 'pwsh')

/** Builds PowerShell where that was not done; skips the test without the .NET SDK. */
export function requirePowerShell(test: Mocha.Context): void {
  if (existsSync(PWSH)) return
  if (findTool('dotnet') === undefined) skipLoudly(test, 'dotnet is not installed')
  const built = spawnSync(path.join(PROJECT, '.ci', 'prepare-powershell'), {encoding: 'utf8'})
  assert.equal(built.status, 0, built.stdout + built.stderr)
}
