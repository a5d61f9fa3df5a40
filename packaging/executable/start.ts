import path from 'node:path'
import process from 'node:process'
import {Config, Errors, flush, handle, run, settings, type Command, type Interfaces} from '@oclif/core'
import {tellUnknownCommand} from '../../src/terminal/unknown-command.js'
import {carryModules, load, type CarriedModules} from './module-loader.js'

/** An oclif plugin as the single executable carries it: what oclif finds on the disk elsewhere. */
export interface CarriedPlugin {
  readonly pjson: Interfaces.PJSON
  /** As oclif writes it: each command with its file, the parts of its path apart. */
  readonly manifest: Interfaces.Manifest
  readonly modules: CarriedModules
}

/** Starts the command line of the single executable, as `src/main.ts` does of the package. The own plugin comes first. */
export async function start(carried: readonly CarriedPlugin[]): Promise<void> {
  // Nothing is looked for beside the executable, where anybody may have put it.
  settings.enableAutoTranspile = false
  const plugins = carried.map(asPlugin)
  const [own] = plugins
  if (own === undefined) throw new Error('The executable carries no commands.')
  const options = {root: own.root, pjson: own.pjson, plugins: new Map(plugins.map((plugin) => [plugin.name, plugin]))}
  try {
    await run(process.argv.slice(2), options)
    await flush()
  } catch (error) {
    // oclif answers `nosuch --help` itself, past its hook for commands that there are not.
    const [, id] = error instanceof Errors.CLIError ? (/^Command (.+) not found\.$/s.exec(error.message) ?? []) : []
    if (id === undefined) await handle(error as Error)
    else tellUnknownCommand(id.split(':'), await Config.load(options))
  }
}

function asPlugin({pjson, manifest, modules}: CarriedPlugin, index: number): Interfaces.Plugin {
  const {name, version, oclif} = pjson
  const isRoot = index === 0
  const folder = path.dirname(process.execPath)
  const root = isRoot ? folder : path.join(folder, 'node_modules', name)
  carryModules(name, modules)
  const findCommand = async (id: string): Promise<Command.Class> => {
    const place = manifest.commands[id]?.relativePath?.join('/') ?? ''
    const module = (await load({name, root}, place)) as {readonly default: Command.Class}
    return Object.assign(module.default, {id, plugin})
  }
  const plugin: Interfaces.Plugin = {
    _base: name,
    alias: name,
    commandIDs: Object.keys(manifest.commands),
    commands: Object.entries(manifest.commands).map(([id, command]) => ({
      ...command,
      pluginAlias: name,
      pluginType: 'core',
      load: () => findCommand(id),
    })),
    commandsDir: undefined,
    findCommand,
    hasManifest: true,
    hooks: Object.fromEntries(Object.entries(oclif.hooks ?? {}).map(([event, hooks]) => [event, hooksOf(hooks)])),
    isRoot,
    load: () => Promise.resolve(),
    moduleType: 'module',
    name,
    options: {root, isRoot},
    pjson,
    root,
    topics: topicsOf(oclif.topics),
    type: 'core',
    valid: true,
    version,
  }
  return plugin
}

type Hooks = NonNullable<Interfaces.PJSON['oclif']['hooks']>[string]

function hooksOf(hooks: Hooks) {
  return [hooks].flat().map((hook) => ({
    identifier: 'default',
    ...(typeof hook === 'string' ? {target: hook} : hook),
  }))
}

function topicsOf(topics: Interfaces.PJSON['oclif']['topics']): Interfaces.Topic[] {
  return Object.entries(topics ?? {}).map(([name, topic]) => ({...topic, name}))
}
