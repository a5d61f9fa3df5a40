import {existsSync, readdirSync, readFileSync} from 'node:fs'
import path from 'node:path'

interface Described {
  readonly name: string
  readonly version: string
  readonly license?: string
}

/** The licences of packages, by their folders, as one text. */
export function licensesOf(folders: readonly string[]): string {
  const texts = folders.map((folder) => {
    const {name, version, license} = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8')) as Described
    const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry) && existsSync(path.join(folder, entry)))
    const text = file === undefined ? '' : `\n${readFileSync(path.join(folder, file), 'utf8').trim()}\n`
    return `${name} ${version} (${license ?? 'see below'})\n${text}`
  })
  return texts.join('\n----\n\n')
}
