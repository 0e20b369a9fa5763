// What goes wrong, on request.
package main

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
)

// A fault: of requests of a method whose path and query have a text in them, after so many that go well, so many times.
//
// How: a status that is answered in place of what was asked for; "reset", the connection ends after some of the body; "lost", it is done, and the
// connection ends before that is answered.
type fault struct {
	method, path string
	skip, times  int
	act          string
}

type faults struct {
	lock sync.Mutex
	list []*fault
}

func (all *faults) add(words []string) string {
	var it fault
	if _, err := fmt.Sscan(strings.Join(words, " "), &it.method, &it.path, &it.skip, &it.times, &it.act); err != nil {
		return err.Error()
	}
	all.lock.Lock()
	defer all.lock.Unlock()
	all.list = append(all.list, &it)
	return "added"
}

func (all *faults) forget() {
	all.lock.Lock()
	defer all.lock.Unlock()
	all.list = nil
}

// What goes wrong with a request; nothing mostly.
func (all *faults) of(request *http.Request) string {
	all.lock.Lock()
	defer all.lock.Unlock()
	for _, it := range all.list {
		if it.times == 0 || it.method != request.Method || !strings.Contains(request.URL.String(), it.path) {
			continue
		}
		if it.skip > 0 {
			it.skip--
			return ""
		}
		it.times--
		return it.act
	}
	return ""
}

// A writer to nobody.
type nobody struct{ header http.Header }

func (it nobody) Header() http.Header            { return it.header }
func (it nobody) Write(part []byte) (int, error) { return len(part), nil }
func (it nobody) WriteHeader(int)                {}

// Lets faults happen before requests come to who answers them.
func (all *faults) before(next http.Handler) http.Handler {
	return http.HandlerFunc(func(answer http.ResponseWriter, request *http.Request) {
		act := all.of(request)
		switch act {
		case "":
			next.ServeHTTP(answer, request)
			return
		case "reset":
			_, _ = io.CopyN(io.Discard, request.Body, 1000)
		case "lost":
			next.ServeHTTP(nobody{http.Header{}}, request)
		default:
			_, _ = io.Copy(io.Discard, request.Body)
			var status int
			_, _ = fmt.Sscan(act, &status)
			answer.WriteHeader(status)
			return
		}
		if connection, _, err := answer.(http.Hijacker).Hijack(); err == nil {
			connection.Close()
		}
	})
}
