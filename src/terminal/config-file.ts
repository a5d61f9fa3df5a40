import {readFileSync, statSync} from 'node:fs'
import {homedir} from 'node:os'
import path from 'node:path'
import type {Interfaces} from '@oclif/core'
import {suggestNearest} from '../model/did-you-mean.js'
import {asTransshipError, findSystemCode, InputError, UsageError} from '../model/errors.js'
import {isDefaultable, type ConfigValues} from './flag-defaults.js'

type Environment = Readonly<Record<string, string | undefined>>

/** Where the file is, if it is not turned off. */
export interface ConfigPlace {
  readonly path: string
  /** It was named, so that it must exist. */
  readonly isNamed: boolean
}

/**
 * TRANSSHIP_CONFIG, where an empty value turns the file off; else `transship/config.yaml` in the folder of the system for
 * it: %AppData% on Windows, elsewhere XDG_CONFIG_HOME or ~/.config. Source: XDG Base Directory Specification 0.8.
 */
export function findConfigPlace(
  env: Environment,
  {platform = process.platform, home = homedir()}: {readonly platform?: NodeJS.Platform; readonly home?: string} = {},
): ConfigPlace | undefined {
  const {TRANSSHIP_CONFIG: named, XDG_CONFIG_HOME: xdg = '', APPDATA: appData = ''} = env
  if (named !== undefined) return named === '' ? undefined : {path: named, isNamed: true}
  if (platform === 'win32') {
    const folder = appData === '' ? path.win32.join(home, 'AppData', 'Roaming') : appData
    return {path: path.win32.join(folder, 'transship', 'config.yaml'), isNamed: false}
  }
  // A relative one is to be ignored, says the specification.
  const folder = path.posix.isAbsolute(xdg) ? xdg : path.posix.join(home, '.config')
  return {path: path.posix.join(folder, 'transship', 'config.yaml'), isNamed: false}
}

/** Longer than any list of defaults. */
const MAX_BYTES = 256 * 1024

/**
 * The values of the file; undefined where there is none. `known`: all flags of all commands. Throws `BAD_OPTION` naming the
 * file and the key or the line, `NOT_FOUND` for a file that was named, and what the system says.
 */
export async function readConfig(
  place: ConfigPlace | undefined,
  known: ReadonlySet<string>,
): Promise<ConfigValues | undefined> {
  if (place === undefined) return undefined
  const {path: file, isNamed} = place
  let text: string
  try {
    const {size} = statSync(file)
    if (size > MAX_BYTES) throw bad(file, `It is longer than ${String(MAX_BYTES)} bytes.`)
    text = readFileSync(file, 'utf8')
  } catch (error) {
    const code = findSystemCode(error)
    if (code !== 'ENOENT' && code !== 'ENOTDIR') throw asTransshipError(error, {path: file})
    if (!isNamed) return undefined
    throw new InputError('NOT_FOUND', {
      what: `The configuration file '${file}' does not exist.`,
      why: 'TRANSSHIP_CONFIG names it.',
      suggestions: ['Correct TRANSSHIP_CONFIG, or pass --no-config.'],
      at: {path: file},
      cause: error,
    })
  }
  return {path: file, values: await parseConfig(text, file, known)}
}

async function parseConfig(
  text: string,
  file: string,
  known: ReadonlySet<string>,
): Promise<Readonly<Record<string, unknown>>> {
  // Most have no file: those need not wait for the parser.
  const {parseDocument} = await import('./yaml-document.js')
  const document = parseDocument(text, {prettyErrors: true, uniqueKeys: true})
  const [error] = document.errors
  if (error !== undefined) throw bad(file, error.message.split('\n')[0]?.replace(/:$/, '.') ?? '')
  let values: unknown
  try {
    values = document.toJS({maxAliasCount: 100})
  } catch (error) {
    throw bad(file, error instanceof Error ? error.message : String(error))
  }
  if (values === null || values === undefined) return {}
  if (typeof values !== 'object' || Array.isArray(values))
    throw bad(file, "It must have lines like 'tls-verify: true', one for each flag.")
  for (const key of Object.keys(values)) {
    if (known.has(key)) continue
    const meant = suggestNearest(key.replace(/^--/, ''), known)
    throw bad(file, `'${key}' is not a flag that can have a default.`, meant)
  }
  return values as Readonly<Record<string, unknown>>
}

function bad(file: string, why: string, suggestions: readonly string[] = []): UsageError {
  return new UsageError('BAD_OPTION', {
    what: `The configuration file '${file}' is wrong. ${why}`,
    suggestions: suggestions.length > 0 ? suggestions : ['Correct it, or pass --no-config.'],
    at: {path: file},
  })
}

/** Flags of all commands that can have a default. */
export function defaultableFlags(config: Pick<Interfaces.Config, 'commands'>): ReadonlySet<string> {
  const own = config.commands.filter(({pluginName}) => pluginName === 'transship')
  return new Set(own.flatMap(({flags}) => Object.keys(flags)).filter(isDefaultable))
}
