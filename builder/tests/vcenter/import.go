// An OVA becomes a virtual machine, as the vSphere Client and govc do it: description, lease, one upload for each file.
package main

import (
	"archive/tar"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"

	"github.com/vmware/govmomi"
	"github.com/vmware/govmomi/find"
	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/ovf"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

// What became of it, as JSON.
func imported(center *url.URL, archive string) string {
	told, err := vm(context.Background(), center, archive)
	if err != nil {
		told = map[string]interface{}{"error": err.Error()}
	}
	text, _ := json.Marshal(told)
	return string(text)
}

func vm(ctx context.Context, center *url.URL, archive string) (map[string]interface{}, error) {
	client, err := govmomi.NewClient(ctx, center, true)
	if err != nil {
		return nil, err
	}
	finder := find.NewFinder(client.Client)
	datacenter, err := finder.DefaultDatacenter(ctx)
	if err != nil {
		return nil, err
	}
	finder.SetDatacenter(datacenter)
	folders, err := datacenter.Folders(ctx)
	if err != nil {
		return nil, err
	}
	pool, err := finder.ResourcePool(ctx, "DC0_C0/Resources")
	if err != nil {
		return nil, err
	}
	datastore, err := finder.DefaultDatastore(ctx)
	if err != nil {
		return nil, err
	}
	descriptor, err := member(archive, ".ovf", func(part io.Reader, _ int64) (string, error) {
		text, err := io.ReadAll(part)
		return string(text), err
	})
	if err != nil {
		return nil, err
	}
	spec, err := ovf.NewManager(client.Client).CreateImportSpec(ctx, descriptor, pool, datastore, types.OvfCreateImportSpecParams{EntityName: "imported"})
	if err != nil {
		return nil, err
	}
	if len(spec.Error) > 0 {
		return nil, fmt.Errorf("%s", spec.Error[0].LocalizedMessage)
	}
	lease, err := pool.ImportVApp(ctx, spec.ImportSpec, folders.VmFolder, nil)
	if err != nil {
		return nil, err
	}
	info, err := lease.Wait(ctx, spec.FileItem)
	if err != nil {
		return nil, err
	}
	// It reads what uploads say of how far they are: nobody else does.
	updater := lease.StartUpdater(ctx, info)
	defer updater.Done()
	sent := map[string]interface{}{}
	for _, item := range info.Items {
		_, err = member(archive, item.Path, func(part io.Reader, size int64) (string, error) {
			sent[item.Path] = []int64{size, item.Size}
			return "", lease.Upload(ctx, item, part, soap.Upload{ContentLength: size})
		})
		if err != nil {
			return nil, err
		}
	}
	if err := lease.Complete(ctx); err != nil {
		return nil, err
	}
	var made mo.VirtualMachine
	if err := object.NewVirtualMachine(client.Client, info.Entity).Properties(ctx, info.Entity, []string{"config"}, &made); err != nil {
		return nil, err
	}
	devices := []string{}
	disks := []int64{}
	for _, device := range made.Config.Hardware.Device {
		devices = append(devices, strings.TrimPrefix(fmt.Sprintf("%T", device), "*types."))
		if disk, is := device.(*types.VirtualDisk); is {
			disks = append(disks, disk.CapacityInKB<<10)
		}
	}
	return map[string]interface{}{
		"guest": made.Config.GuestId, "version": made.Config.Version, "cpus": made.Config.Hardware.NumCPU,
		"memory": made.Config.Hardware.MemoryMB, "devices": devices, "disks": disks, "files": sent,
	}, nil
}

// Reads the file of an archive whose name ends so.
func member(archive, ending string, read func(io.Reader, int64) (string, error)) (string, error) {
	file, err := os.Open(archive)
	if err != nil {
		return "", err
	}
	defer file.Close()
	for parts := tar.NewReader(file); ; {
		part, err := parts.Next()
		if err != nil {
			return "", fmt.Errorf("%s: no %s: %w", archive, ending, err)
		}
		if strings.HasSuffix(part.Name, ending) {
			return read(parts, part.Size)
		}
	}
}
