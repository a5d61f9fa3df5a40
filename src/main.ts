#!/usr/bin/env node
import {Config, Errors, flush, handle, run} from '@oclif/core'

try {
  await run(process.argv.slice(2), import.meta.url)
  await flush()
} catch (error) {
  // oclif answers `nosuch --help` itself, past its hook for commands that there are not.
  const [, id] = error instanceof Errors.CLIError ? (/^Command (.+) not found\.$/s.exec(error.message) ?? []) : []
  if (id === undefined) await handle(error as Error)
  else {
    const {tellUnknownCommand} = await import('./terminal/unknown-command.js')
    tellUnknownCommand(id.split(':'), await Config.load(import.meta.url))
  }
}
