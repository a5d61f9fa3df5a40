// Tells how Go's archive/tar reads tars: one JSON document a line for each file named in the arguments.
package main

import (
	"archive/tar"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"os"
	"strconv"
)

type member struct {
	// Bytes as hex: a name need not be UTF-8.
	Name   string `json:"name"`
	Link   string `json:"link"`
	Type   string `json:"type"`
	Size   int64  `json:"size"`
	Digest string `json:"digest,omitempty"`
	// Nanoseconds since 1970, as text: beyond 2^53.
	Mtime string `json:"mtime"`
}

type reading struct {
	File    string   `json:"file"`
	Members []member `json:"members"`
	Fault   string   `json:"fault,omitempty"`
}

// Content beyond this is a hole in every test file, and is not hashed.
const maxHashed = 64 << 20

func read(file string) reading {
	result := reading{File: file, Members: []member{}}
	source, err := os.Open(file)
	if err != nil {
		panic(err)
	}
	defer source.Close()
	tars := tar.NewReader(source)
	for {
		header, err := tars.Next()
		if err == io.EOF {
			return result
		}
		if err != nil {
			result.Fault = err.Error()
			return result
		}
		if header.Typeflag == tar.TypeXGlobalHeader {
			continue
		}
		one := member{
			Name:  hex.EncodeToString([]byte(header.Name)),
			Link:  hex.EncodeToString([]byte(header.Linkname)),
			Type:  string(rune(header.Typeflag)),
			Size:  header.Size,
			Mtime: strconv.FormatInt(header.ModTime.UnixNano(), 10),
		}
		isFile := header.Typeflag == tar.TypeReg || header.Typeflag == tar.TypeGNUSparse
		if isFile && header.Size <= maxHashed {
			hash := sha256.New()
			if _, err := io.Copy(hash, tars); err != nil {
				result.Fault = err.Error()
				return result
			}
			one.Digest = hex.EncodeToString(hash.Sum(nil))
		}
		result.Members = append(result.Members, one)
	}
}

func main() {
	out := json.NewEncoder(os.Stdout)
	for _, file := range os.Args[1:] {
		if err := out.Encode(read(file)); err != nil {
			panic(err)
		}
	}
}
