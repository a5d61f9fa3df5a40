import {statSync} from 'node:fs'
import {isTemplate} from '../template.js'
import {withoutEnd} from '../../model/text-ends.js'

/** By identity, which is what packages are kept by; of images it follows from their names. */
const FILE_NAMES: Readonly<Record<string, string>> = {
  'docker-archive': '{name}-{version}.tar',
  'oci-archive': '{name}-{version}.tar',
  layout: '{name}-{version}',
}

/**
 * The destination of a migration with the fields that give each image and package its own place, where those follow from
 * its form: a whole image registry, an engine, or a folder of archives. Anything else stays as it was written.
 */
export function destinationTemplate(text: string): string {
  if (isTemplate(text)) return text
  // A registry alone, or the front of names in it: `docker://registry.example:5000/team/`.
  if (/^docker:\/\/[^/@]+$/.test(text) && isRegistry(text.slice('docker://'.length)))
    return `${text}/{repository}:{tag}`
  if (/^docker:\/\/[^@]*\/$/.test(text)) return `${text}{repository}:{tag}`
  if (/^(?:docker-daemon:|containerd:(?:[^/@]+\/)?)$/.test(text)) return `${text}{repository}:{tag}`
  const [, transport = '', place = ''] = /^([a-z-]+):(.+)$/s.exec(text) ?? []
  const file = FILE_NAMES[transport]
  if (file === undefined || !isFolder(place)) return text
  return `${transport}:${withoutEnd(place, '\\/')}/${file}`
}

/** What has a port or several parts is a host; a name alone may be an image of Docker Hub. */
function isRegistry(host: string): boolean {
  return host.startsWith('localhost') || /[.:[]/.test(host)
}

function isFolder(place: string): boolean {
  return /[\\/]$/.test(place) || statSync(place, {throwIfNoEntry: false})?.isDirectory() === true
}
