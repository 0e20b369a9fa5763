# Made by builder from the specification of rhel8: change that, not this.
#
# By hand:  packer init . && packer build -var private_key=FILE -var agent_package=FILE .
# The guest's own words (installer, provisioning, sealing) arrive in the file that `guest_log` names while they are said.

packer {
  required_version = ">= 1.10.0"
  required_plugins {
    qemu = {
      source  = "github.com/hashicorp/qemu"
      version = ">= 1.1.0"
    }
  }
}

variable "private_key" {
  type        = string
  default     = "build_key"
  description = "The private half of the key that the build user has while the image is built."
}

variable "agent_package" {
  type        = string
  default     = "trempe-agent.rpm"
  description = "The agent's package."
}

variable "output" {
  type    = string
  default = "output"
}

variable "accelerator" {
  type        = string
  default     = "kvm"
  description = "kvm, or tcg where there is no KVM; with tcg also set cpu to max."
}

variable "cpu" {
  type        = string
  default     = "host"
  description = "Never QEMU's own default: Red Hat Enterprise Linux 9 and later do not start on it."
}

variable "guest_log" {
  type    = string
  default = "guest.log"
}

variable "console_log" {
  type    = string
  default = "console.log"
}

variable "iso_url" {
  type    = string
  default = "/srv/iso/rhel8.iso"
}

variable "iso_checksum" {
  type    = string
  default = "sha256:1111111111111111111111111111111111111111111111111111111111111111"
}

variable "boot_wait" {
  type        = string
  default     = "10s"
  description = "Until the installer's menu is there; longer where the machine is emulated."
}

variable "firmware_code" {
  type    = string
  default = "/usr/share/OVMF/OVMF_CODE_4M.fd"
}

variable "firmware_vars" {
  type    = string
  default = "/usr/share/OVMF/OVMF_VARS_4M.fd"
}

source "qemu" "image" {
  vm_name          = "rhel8.qcow2"
  output_directory = var.output
  headless         = true
  vnc_bind_address = "127.0.0.1"

  accelerator         = var.accelerator
  machine_type        = "q35"
  cpus                = 2
  memory              = 2048
  format              = "qcow2"
  disk_size           = "20480M"
  disk_interface      = "virtio-scsi"
  disk_cache          = "unsafe"
  disk_discard        = "unmap"
  disk_detect_zeroes  = "unmap"
  disk_compression    = true
  net_device          = "virtio-net"
  efi_boot            = true
  efi_firmware_code   = var.firmware_code
  efi_firmware_vars   = var.firmware_vars

  iso_url      = var.iso_url
  iso_checksum = var.iso_checksum
  cd_files     = ["installer/ks.cfg"]
  cd_label     = "OEMDRV"
  boot_wait    = var.boot_wait
  boot_command = [
    "<up><wait><enter>",
  ]

  communicator         = "ssh"
  ssh_username         = "trempe-build"
  ssh_private_key_file = var.private_key
  ssh_timeout          = "90m"
  shutdown_command     = "sudo -n systemd-run --quiet --collect --unit=trempe-seal /bin/bash /root/trempe-seal.sh"
  shutdown_timeout     = "20m"

  # A switch given here replaces all that Packer itself gives of it: no -drive, no -device and no -netdev.
  qemuargs = [
    ["-cpu", var.cpu],
    ["-serial", "file:${var.console_log}"],
    ["-serial", "file:${var.guest_log}"],
  ]
}

build {
  sources = ["source.qemu.image"]

  provisioner "file" {
    source      = "files"
    destination = "/home/trempe-build"
  }

  provisioner "file" {
    source      = var.agent_package
    destination = "/home/trempe-build/trempe-agent.rpm"
  }

  # Scripts lie where they can be executed whatever is done to /tmp.
  provisioner "shell" {
    script          = "scripts/provision.sh"
    remote_folder   = "/home/trempe-build"
    execute_command = "sudo -n {{ .Vars }} /bin/bash '{{ .Path }}'"
  }

  # What is on the image, for the host.
  provisioner "file" {
    direction   = "download"
    source      = "/home/trempe-build/packages.tsv"
    destination = "packages.tsv"
  }

  # Sealing takes the build user away and switches the machine off: it is what Packer runs to shut it down.
  provisioner "file" {
    source      = "scripts/seal.sh"
    destination = "/home/trempe-build/seal.sh"
  }

  provisioner "shell" {
    inline          = ["install -m 0700 -o root -g root /home/trempe-build/seal.sh /root/trempe-seal.sh"]
    remote_folder   = "/home/trempe-build"
    execute_command = "sudo -n {{ .Vars }} /bin/bash '{{ .Path }}'"
  }
}
