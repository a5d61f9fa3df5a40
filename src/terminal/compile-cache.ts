import * as nodeModule from 'node:module'
import {makeOwnFolder, ownCacheFolder} from '../disk/own-cache.js'

/** Node has it from 22.1 on. Source: https://nodejs.org/api/module.html#module-compile-cache. */
const {enableCompileCache} = nodeModule as {readonly enableCompileCache?: (folder: string) => unknown}

/**
 * Lets Node keep what it compiles of the command line, so that the next start need not do so again: a quarter of the time
 * of a short command. Whoever can write there can run code as this user, so it lies in the user's own cache and nowhere
 * else; where that cannot be had, every start compiles. NODE_DISABLE_COMPILE_CACHE=1 forbids it, NODE_COMPILE_CACHE names
 * another folder.
 */
export function keepCompiledCode(): void {
  if (enableCompileCache === undefined || process.env['NODE_COMPILE_CACHE'] !== undefined) return
  try {
    const folder = ownCacheFolder('transship-code')
    makeOwnFolder(folder)
    enableCompileCache(folder)
  } catch {
    // It is only slower.
  }
}
