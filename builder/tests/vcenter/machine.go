// Virtual machines that others made: switched off, and looked at.
package main

import (
	"context"
	"net/url"
	"time"

	"github.com/vmware/govmomi"
	"github.com/vmware/govmomi/find"
	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"
)

// Waits until there is a machine of that name that runs, and switches it off, as one does that has been installed and sealed.
func switchedOff(center *url.URL, name string) string {
	for begun := time.Now(); time.Since(begun) < 3*time.Minute; time.Sleep(500 * time.Millisecond) {
		machine, state := named(center, name)
		if state != string(types.VirtualMachinePowerStatePoweredOn) {
			continue
		}
		// Whoever made it wants to see it run.
		time.Sleep(2 * time.Second)
		if _, err := machine.PowerOff(context.Background()); err != nil {
			return err.Error()
		}
		return "off"
	}
	return "it does not run"
}

// What became of a machine: "gone", "template", or whether it is on.
func about(center *url.URL, name string) string {
	_, state := named(center, name)
	return state
}

func named(center *url.URL, name string) (*object.VirtualMachine, string) {
	ctx := context.Background()
	client, err := govmomi.NewClient(ctx, center, true)
	if err != nil {
		return nil, err.Error()
	}
	machine, err := find.NewFinder(client.Client).VirtualMachine(ctx, "/DC0/vm/"+name)
	if err != nil {
		return nil, "gone"
	}
	var seen mo.VirtualMachine
	if err := machine.Properties(ctx, machine.Reference(), []string{"config.template", "runtime.powerState"}, &seen); err != nil {
		return nil, err.Error()
	}
	if seen.Config != nil && seen.Config.Template {
		return machine, "template"
	}
	return machine, string(seen.Runtime.PowerState)
}

// Takes a machine away.
func removed(center *url.URL, name string) string {
	machine, state := named(center, name)
	if machine == nil {
		return state
	}
	task, err := machine.Destroy(context.Background())
	if err == nil {
		err = task.Wait(context.Background())
	}
	if err != nil {
		return err.Error()
	}
	return "removed"
}
