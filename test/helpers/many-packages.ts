import {cpSync, mkdirSync, readFileSync, writeFileSync} from 'node:fs'
import path from 'node:path'
import {PROJECT} from './snapshot.js'

const SAMPLES = path.join(PROJECT, 'samples', 'repository')
const OS = 'CN=Microsoft_WindowsServerCore_10.0.14393.206'
const WEB = 'CN=Contoso_WebServer_1.0.0.0'

/** Makes a repository of an OS package and so many small ones that depend on it, `App0` and on. */
export function writeManyPackages(folder: string, count: number): void {
  mkdirSync(folder, {recursive: true})
  for (const name of ['repository.json', OS])
    cpSync(path.join(SAMPLES, name), path.join(folder, name), {recursive: true})
  for (let index = 0; index < count; index++) {
    const target = path.join(folder, WEB.replace('WebServer', `App${index}`))
    cpSync(path.join(SAMPLES, WEB), target, {recursive: true})
    const file = path.join(target, 'metadata.json')
    writeFileSync(file, readFileSync(file, 'utf8').replaceAll('WebServer', `App${index}`))
  }
}
