#!/usr/bin/env node
import './terminal/environment.js'

/** With too few file handles not even the command itself can be loaded, nor what tells failures otherwise. */
function tellIfTooFewHandles(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code !== 'EMFILE' && code !== 'ENFILE') return false
  process.stderr.write(
    `Error: Too many files are open.\n  Why:   The operating system says ${code}.\n` +
      '  Try:   Raise the limit on open files (ulimit -n 1024).\n  Code:  IO_FAILED\n',
  )
  process.exitCode = 4
  return true
}

try {
  // One after the other: each file that is loaded takes a handle, and those of this file itself would be loaded at once.
  const {endWithTerminal} = await import('./terminal/lost-terminal.js')
  endWithTerminal()
  const {keepCompiledCode} = await import('./terminal/compile-cache.js')
  keepCompiledCode()
  const {boundYoungGeneration} = await import('./terminal/young-generation.js')
  boundYoungGeneration()
  const {Config, Errors, flush, handle, run} = await import('@oclif/core')
  try {
    await run(process.argv.slice(2), import.meta.url)
    await flush()
  } catch (error) {
    // oclif answers `nosuch --help` itself, past its hook for commands that there are not.
    const [, id] = error instanceof Errors.CLIError ? (/^Command (.+) not found\.$/s.exec(error.message) ?? []) : []
    if (id !== undefined) {
      const {tellUnknownCommand} = await import('./terminal/unknown-command.js')
      tellUnknownCommand(id.split(':'), await Config.load(import.meta.url))
    } else if (!tellIfTooFewHandles(error)) await handle(error as Error)
  }
} catch (error) {
  if (!tellIfTooFewHandles(error)) throw error
}
