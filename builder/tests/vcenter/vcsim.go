// A vCenter that is none: govmomi's simulator, with its API of content libraries. usage: vcsim CERTIFICATE KEY
//
// Writes its address and the id of a datastore to standard output, and ends when standard input does. Built by .ci/setup.
package main

import (
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net/url"
	"os"

	"github.com/vmware/govmomi/simulator"

	_ "github.com/vmware/govmomi/vapi/simulator"
)

func main() {
	certificate, err := tls.LoadX509KeyPair(os.Args[1], os.Args[2])
	if err != nil {
		log.Fatal(err)
	}
	model := simulator.VPX()
	if err := model.Create(); err != nil {
		log.Fatal(err)
	}
	model.Service.RegisterEndpoints = true
	model.Service.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}}
	model.Service.Listen = &url.URL{Scheme: "https", Host: "127.0.0.1:0", User: url.UserPassword("builder", os.Getenv("VCSIM_PASSWORD"))}
	server := model.Service.NewServer()
	fmt.Println(server.URL.Host, simulator.Map.Any("Datastore").Reference().Value)
	_, _ = io.Copy(io.Discard, os.Stdin)
	server.Close()
	model.Remove()
}
