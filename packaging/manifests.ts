import {readdirSync, readFileSync} from 'node:fs'
import path from 'node:path'

/** What the templates name in double braces. */
export type ManifestValues = Readonly<Record<string, string>>

/**
 * The manifests for package managers, by their path in the release: `winget/Transship.Transship.yaml`. Throws where a
 * template names a value that is not known.
 */
export function fillManifests(root: string, values: ManifestValues): ReadonlyMap<string, string> {
  const folder = path.join(root, 'packaging', 'templates')
  const names = readdirSync(folder, {recursive: true, withFileTypes: true})
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)).split(path.sep).join('/'))
  return new Map(
    names.sort().map((name) => {
      const text = readFileSync(path.join(folder, name), 'utf8')
      return [name, text.replaceAll(/\{\{(\w+)\}\}/g, (_, key: string) => requireValue(values, key, name))]
    }),
  )
}

function requireValue(values: ManifestValues, key: string, template: string): string {
  const value = values[key]
  if (value === undefined) throw new Error(`The template ${template} asks for ${key}, which nothing gives.`)
  return value
}
