// Command exits is a function that ends in its init.
package main

import "log"

func main() { log.Fatal("cannot find the treasure map") }
