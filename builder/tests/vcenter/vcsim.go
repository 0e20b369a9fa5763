// A vCenter that is none: govmomi's simulator, with its API of content libraries. usage: vcsim CERTIFICATE KEY
//
// Writes its address and the id of a datastore to standard output, does what the lines of its standard input say, each answered by a line,
// and ends when that ends:
//
//	fault METHOD PATH SKIP TIMES ACT   what goes wrong from now on (fault.go)
//	mend                               nothing does any more
//	import FILE                        an OVA becomes a virtual machine (import.go)
//	off|about|remove NAME              a virtual machine is switched off once it runs; what became of it; it goes (machine.go)
//
// Built by .ci/setup.
package main

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"log"
	"net/url"
	"os"
	"strings"

	"github.com/vmware/govmomi/simulator"

	_ "github.com/vmware/govmomi/pbm/simulator"
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
	var faults faults
	server.Config.Handler = faults.before(server.Config.Handler)
	fmt.Println(server.URL.Host, simulator.Map.Any("Datastore").Reference().Value)
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		words := strings.Fields(lines.Text())
		switch words[0] {
		case "fault":
			fmt.Println(faults.add(words[1:]))
		case "mend":
			faults.forget()
			fmt.Println("mended")
		case "import":
			fmt.Println(imported(server.URL, words[1]))
		case "off":
			fmt.Println(switchedOff(server.URL, words[1]))
		case "remove":
			fmt.Println(removed(server.URL, words[1]))
		case "about":
			fmt.Println(about(server.URL, words[1]))
		}
	}
	server.Close()
	model.Remove()
}
