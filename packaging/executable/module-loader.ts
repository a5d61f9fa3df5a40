import path from 'node:path'

/*
 * Stands in for `@oclif/core/lib/module-loader.js` in the single executable, where no file can be imported: it finds
 * what oclif asks for (commands, hooks, the class for help) among the modules that the executable carries.
 */

/** Modules by their path in the plugin's package: `dist/commands/list.js`. */
export type CarriedModules = Readonly<Record<string, () => Promise<unknown>>>

interface Owner {
  readonly name: string
  readonly root: string
}

const carried = new Map<string, CarriedModules>()

export function carryModules(plugin: string, modules: CarriedModules): void {
  carried.set(plugin, modules)
}

export async function load({name, root}: Owner, modulePath: string): Promise<unknown> {
  const place = (path.isAbsolute(modulePath) ? path.relative(root, modulePath) : modulePath)
    .split(path.sep)
    .join('/')
    .replace(/^\.\//, '')
  const module = carried.get(name)?.[place]
  if (module === undefined) throw new Error(`The executable carries no ${place} of ${name}.`)
  return module()
}

export async function loadWithData(owner: Owner, modulePath: string) {
  return {filePath: modulePath, isESM: false, module: await load(owner, modulePath)}
}
