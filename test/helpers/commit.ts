import {spawnSync} from 'node:child_process'
import {PROJECT} from './snapshot.js'

/** Which commit is checked out, as long runs record it; `?` outside of a repository. */
export function commitHere(): string {
  const {status, stdout} = spawnSync('git', ['rev-parse', '--short=8', 'HEAD'], {cwd: PROJECT, encoding: 'utf8'})
  return status === 0 ? stdout.trim() : '?'
}
