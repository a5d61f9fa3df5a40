import {execFileSync} from 'node:child_process'
import {mkdirSync, writeFileSync} from 'node:fs'
import path from 'node:path'

/** Source: the package compress/gzip of Go, whose default level is 6. */
const GO_PROGRAM = `package main

import (
	"compress/gzip"
	"io"
	"os"
)

func main() {
	w := gzip.NewWriter(os.Stdout)
	if _, err := io.Copy(w, os.Stdin); err != nil {
		panic(err)
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
}
`

/** Builds a program that compresses a pipe as Go programs do by default, and gives its path. */
export function buildGoPacker(folder: string): string {
  const source = path.join(folder, 'go-gzip')
  mkdirSync(source, {recursive: true})
  writeFileSync(path.join(source, 'main.go'), GO_PROGRAM)
  const program = path.join(source, 'pack')
  const env = {...process.env, GOCACHE: path.join(source, 'cache'), GO111MODULE: 'off'}
  execFileSync('go', ['build', '-o', program, 'main.go'], {cwd: source, env})
  return program
}
